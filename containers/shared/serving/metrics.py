"""What an endpoint counts, for Prometheus to collect from /metrics.

Each worker counts in its own cells, in memory that all workers share: the one that is asked answers for all. The
labels are fixed, so that no caller can make more of them. A sample, shortened:

    # TYPE headrace_requests_total counter
    headrace_requests_total{path="/invocations",status="200"} 52141
    # TYPE headrace_request_duration_seconds histogram
    headrace_request_duration_seconds_bucket{le="0.001"} 51020
    # TYPE headrace_requests_in_flight gauge
    headrace_requests_in_flight 3
"""

import fcntl
import multiprocessing
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate, product
from pathlib import Path
from typing import NamedTuple

from containers.shared import sagemaker

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Under this name connections find the counts of their worker in the application's state.
METRICS_STATE = "metrics"

OTHER = "other"
PATHS = (sagemaker.INVOCATIONS_PATH, sagemaker.PING_PATH)
STATUSES = ("200", "400", "404", "405", "406", "413", "415", "500", "503")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
INFINITY = "+Inf"


class Family(NamedTuple):
    """Metrics of one name: the labels of each of its cells."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ("",)


def label_each(name: str, values: Sequence[object]) -> tuple[str, ...]:
    """The labels of cells that differ in one label."""
    return tuple(f'{{{name}="{value}"}}' for value in values)


REQUESTS = Family(
    "headrace_requests_total",
    "counter",
    "Requests answered.",
    tuple(f'{{path="{path}",status="{status}"}}' for path, status in product((*PATHS, OTHER), (*STATUSES, OTHER))),
)
DURATIONS = Family(
    "headrace_request_duration_seconds",
    "histogram",
    "From the arrival of an invocation's headers to its answer.",
    label_each("le", (*SECONDS, INFINITY)),
)
DURATION_SUM = Family("headrace_request_duration_seconds_sum", "", "")
IN_FLIGHT = Family("headrace_requests_in_flight", "gauge", "Invocations that are being answered.")
LOADING, BUSY = label_each("reason", ("loading", "busy"))
REJECTED = Family(
    "headrace_requests_rejected_total",
    "counter",
    "Invocations refused because the model was loading or other requests were in progress.",
    (LOADING, BUSY),
)
CONNECTIONS = Family(
    "headrace_connections_refused_total",
    "counter",
    "Connections closed because a request was malformed or late, its headers were too long, or there were too many.",
    label_each("status", ("400", "408", "431", "503")),
)
MODEL_ERRORS = Family("headrace_model_errors_total", "counter", "Requests that failed through no fault of the caller.")
LOAD_SECONDS = Family("headrace_model_load_seconds", "gauge", "The longest that a worker took to load the model.")
READY = Family("headrace_workers_ready", "gauge", "Workers that have loaded the model.")
WITHOUT_MODEL = Family("headrace_workers_loading", "gauge", "Workers that take requests before they have the model.")

FAMILIES = (
    REQUESTS,
    DURATIONS,
    DURATION_SUM,
    IN_FLIGHT,
    REJECTED,
    CONNECTIONS,
    MODEL_ERRORS,
    LOAD_SECONDS,
    READY,
    WITHOUT_MODEL,
)
CELLS = {cell: place for place, cell in enumerate((family, label) for family in FAMILIES for label in family.labels)}
# What a worker is, and not what it did, ends with it.
GAUGES = (IN_FLIGHT, LOAD_SECONDS, READY, WITHOUT_MODEL)


class Board:
    """The memory that workers share: a row of cells for each of them, and who has it."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.owners = context.RawArray("q", workers)
        self.rows = [context.RawArray("d", len(CELLS)) for _ in range(workers)]

    def claim(self) -> int:
        """The row of this process: a free one, or one whose worker is gone and whose counts go on."""
        # A lock of the system's ends with its holder; any file that is there will do.
        with Path(__file__).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # The number of a process is used again, perhaps for the worker that replaces it.
            gone = {0, os.getpid()}
            free = (place for place, owner in enumerate(self.owners) if owner in gone or not is_alive(owner))
            place = next(free, len(self.rows) - 1)
            self.owners[place] = os.getpid()
        return place

    def is_ready(self, pid: int | None) -> bool:
        """Whether a worker has loaded the model, or had when it ended."""
        cell = CELLS[READY, ""]
        return any(owner == pid and row[cell] for owner, row in zip(self.owners, self.rows, strict=True))

    def is_any(self, gauge: Family) -> bool:
        """Whether there is a worker of which a gauge holds, those that are gone left out."""
        cell = CELLS[gauge, ""]
        return any(row[cell] and is_alive(owner) for owner, row in zip(self.owners, self.rows, strict=True))


class Metrics:
    """The counts of one worker, and the page that shows those of all."""

    def __init__(self, board: Board | None = None) -> None:
        self._board = board or Board(1)
        self._row = self._board.rows[self._board.claim()]
        for family in GAUGES:
            self.set(family, 0)

    def add(self, family: Family, label: str = "", amount: float = 1) -> None:
        """Count something, under a label of its family's."""
        self._row[CELLS[family, label]] += amount

    def set(self, family: Family, value: float) -> None:
        """Note how something is."""
        self._row[CELLS[family, ""]] = value

    def is_any(self, gauge: Family) -> bool:
        """Whether a gauge holds of this worker or another."""
        return self._board.is_any(gauge)

    def note_refused_connection(self, status: int) -> None:
        """Count a connection that was ended with a status."""
        self.add(CONNECTIONS, f'{{status="{status}"}}')

    def note_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        place = path if path in PATHS else OTHER
        code = str(status) if str(status) in STATUSES else OTHER
        self.add(REQUESTS, f'{{path="{place}",status="{code}"}}')
        if path == sagemaker.INVOCATIONS_PATH:
            self.add(DURATIONS, DURATIONS.labels[bisect_left(SECONDS, seconds)])
            self.add(DURATION_SUM, amount=seconds)

    def render(self) -> bytes:
        """The page, in Prometheus' text format."""
        return "".join(f"{line}\n" for family in FAMILIES for line in self._render_family(family)).encode()

    def _render_family(self, family: Family) -> Iterator[str]:
        if family.kind:
            yield f"# HELP {family.name} {family.help}"
            yield f"# TYPE {family.name} {family.kind}"
        if family is DURATIONS:
            yield from self._render_histogram(family)
            return
        for label, value in zip(family.labels, self._read(family), strict=True):
            yield f"{family.name}{label} {format_number(value)}"

    def _render_histogram(self, family: Family) -> Iterator[str]:
        counts = list(accumulate(self._read(family)))
        for label, count in zip(family.labels, counts, strict=True):
            yield f"{family.name}_bucket{label} {format_number(count)}"
        yield f"{family.name}_count {format_number(counts[-1])}"

    def _read(self, family: Family) -> list[float]:
        combine = max if family is LOAD_SECONDS else sum
        return [combine(row[CELLS[family, label]] for row in self._board.rows) for label in family.labels]


def format_number(value: float) -> str:
    """The shortest text of a number, whole ones without a fraction."""
    return repr(float(value)).removesuffix(".0")


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is there."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
