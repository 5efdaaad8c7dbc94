"""Jobs: listed, described, with their log and the curves of their metrics."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from headrace.local.page.answers import PageError
from headrace.local.page.charts import Chart, Series, draw_chart
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.local.page.sections.listings import (
    JOB_KINDS,
    TRAINING,
    Kind,
    Listed,
    LogPage,
    describe,
    iterate_log,
    list_resources,
    read_log_page,
)

_BUSY_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 4.0
_LINES_WITH_METRICS: Final = 10_000
# Beyond it, the distance of two numbers may be none.
_LARGEST: Final = 1e300
# What people look for in a description, of whichever kind.
_FACTS: Final = (
    ("failure", "FailureReason"),
    ("exit message", "ExitMessage"),
    ("model", "ModelName"),
    ("role", "RoleArn"),
)


class Jobs:
    """The section of jobs.

    Args:
        clients: Finds the client of a service.
    """

    name: Final = "jobs"
    title: Final = "Jobs"

    def __init__(self, clients: FindClient) -> None:
        self._clients = clients

    def answer(self, request: Request) -> View:
        """All jobs, or one of them."""
        match request.segments[1:]:
            case []:
                return show_jobs([(kind, list_resources(self._clients, kind)) for kind in JOB_KINDS])
            case [word, name]:
                kind = next((kind for kind in JOB_KINDS if kind.word == word), None)
                if kind:
                    return self._show_job(kind, name, request)
        raise PageError(404, "jobs have a kind and a name")

    def _show_job(self, kind: Kind, name: str, request: Request) -> View:
        found = describe(self._clients, kind, name)
        log = read_log_page(self._clients, kind, name, request.query.get("stream", ""), request.query.get("token", ""))
        charts: list[Chart] = []
        definitions = found.get("AlgorithmSpecification", {}).get("MetricDefinitions", ())
        if kind is TRAINING and definitions:
            lines = iterate_log(self._clients, kind, name, _LINES_WITH_METRICS)
            charts = chart_metrics(definitions, lines)
        return show_job(kind, found, log, charts, is_paged="token" in request.query)


def show_jobs(listed: Sequence[tuple[Kind, list[Listed] | None]]) -> View:
    """All jobs by kind; None stands for a kind that the local cloud does not have."""
    is_busy = any(job.is_busy for _, jobs in listed for job in jobs or ())
    values = {"kinds": [(kind, jobs) for kind, jobs in listed if jobs is not None]}
    return View("jobs.html", "Jobs", values, _BUSY_SECONDS if is_busy else _IDLE_SECONDS)


def show_job(kind: Kind, found: Mapping[str, Any], log: LogPage, charts: Sequence[Chart], *, is_paged: bool) -> View:
    """One job.

    Args:
        kind: Of which kind.
        found: Its description.
        log: A part of its log.
        charts: The curves of its metrics.
        is_paged: Whether that is an earlier part of the log, which does not change.
    """
    name, status = found[f"{kind.name}Name"], found[f"{kind.name}Status"]
    values = {
        "kind": kind,
        "name": name,
        "status": status,
        "facts": [(title, found[key]) for title, key in _FACTS if key in found],
        "model_data": found.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        "description": {key: value for key, value in found.items() if key != "ResponseMetadata"},
        "metrics": found.get("FinalMetricDataList", ()),
        "charts": charts,
        "log": log,
        "started": found.get("TrainingStartTime") or found.get("ProcessingStartTime") or found.get("CreationTime"),
        "ended": found.get("TrainingEndTime") or found.get("ProcessingEndTime") or found.get("TransformEndTime"),
    }
    is_busy = status in ("InProgress", "Stopping") and not is_paged
    return View("job.html", name, values, _BUSY_SECONDS if is_busy else None)


def chart_metrics(definitions: Iterable[Mapping[str, str]], lines: Iterable[tuple[datetime, str]]) -> list[Chart]:
    """The curves of metrics, those of one quantity together, read out of a log as SageMaker does.

    Args:
        definitions: The metrics' names and expressions.
        lines: When each line was written, and its text.
    """
    patterns = {definition["Name"]: re.compile(definition["Regex"]) for definition in definitions}
    points: dict[str, list[tuple[float, float]]] = {}
    start: datetime | None = None
    for when, line in lines:
        start = start or when
        for name, pattern in patterns.items():
            for match in pattern.finditer(line):
                if (value := _parse(match.group(1))) is not None:
                    points.setdefault(name, []).append(((when - start).total_seconds(), value))
    quantities: dict[str, list[Series]] = {}
    for name, found in points.items():
        quantities.setdefault(name.rpartition(":")[2], []).append(Series(name, found))
    return [draw_chart(quantity, series) for quantity, series in quantities.items()]


def _parse(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < _LARGEST else None
