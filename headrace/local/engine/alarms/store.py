"""What was put for each metric, for as long as an alarm may look back."""

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.local.engine.alarms.statistics import Datum, calculate

# The most that the periods of an alarm may span together: seven days.
MOST_SECONDS: Final = 7 * 86_400
# What was put with a time that is farther off than this is told of then, not of now.
_LATE_SECONDS: Final = 60
# How often services measure what stands.
_MEASURED_SECONDS: Final = 60


@dataclass(frozen=True)
class Metric:
    """A metric: the same name with other dimensions is another one."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "Metric":
        """The metric with these dimensions and no others."""
        return cls(namespace, name, frozenset(dimensions.items()))


class MetricStore:
    """The data of all metrics, on the local cloud's clock.

    Its seconds are shorter than those of this machine, and clients stamp their data in whole ones of the latter. So
    what is put counts for the moment when it is put, unless its time is far from it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data: dict[Metric, list[Datum]] = defaultdict(list)
        self._stood: dict[Metric, list[_Span]] = defaultdict(list)
        self._versions: Counter[Metric] = Counter()

    def put(self, metric: Metric, datum: Datum) -> None:
        """Keep what was put, and forget what no alarm can look back to."""
        with self._lock:
            data = self._data[metric]
            data.append(datum)
            self._versions[metric] += 1
            if data[0].time < datum.time - 2 * MOST_SECONDS:
                self._data[metric] = [kept for kept in data if kept.time >= datum.time - MOST_SECONDS]

    def note_standing(self, metrics: Iterable[Metric], now: float) -> None:
        """Have these metrics, and no others, measured once a minute from now on, until the next call says otherwise.

        They measure nothing but that something stands: each of their samples is 0.
        """
        standing = set(metrics)
        with self._lock:
            for metric in standing | self._stood.keys():
                spans = self._stood[metric]
                was_open = bool(spans) and spans[-1].is_open
                if was_open:
                    spans[-1].end, spans[-1].is_open = now, metric in standing
                elif metric in standing:
                    spans.append(_Span(now, now))
                self._versions[metric] += was_open is not (metric in standing)
                self._stood[metric] = [span for span in spans if span.end >= now - 2 * MOST_SECONDS]

    def is_standing(self, metric: Metric) -> bool:
        """Whether a metric is measured on its own."""
        with self._lock:
            return any(span.is_open for span in self._stood.get(metric, ()))

    def find_newest(self, metric: Metric) -> float:
        """When the last datum of a metric counts; -∞ without any."""
        with self._lock:
            put = [datum.time for datum in self._data.get(metric, ())]
            return max([*put, *(span.end for span in self._stood.get(metric, ()))], default=-math.inf)

    def count_changes(self, metric: Metric) -> int:
        """How often something was put for a metric, or it has begun or ended to stand."""
        with self._lock:
            return self._versions[metric]

    def read(
        self, metric: Metric, statistic: str, *, period: float, end: float, count: int, unit: str = ""
    ) -> list[float | None]:
        """A statistic of each of the last periods, the oldest first; None for periods without data.

        Args:
            metric: The metric.
            statistic: A basic statistic or a percentile.
            period: How long one is, in seconds.
            end: When the last one ends, which does not belong to it.
            count: How many there are.
            unit: The only unit that counts; all do where it is empty.
        """
        periods: list[list[Datum]] = [[] for _ in range(count)]
        start = end - count * period
        with self._lock:
            data = list(self._data.get(metric, ()))
            spans = list(self._stood.get(metric, ()))
        for position in range(count):
            begin = start + position * period
            periods[position].extend(_measure(spans, begin, begin + period))
        for datum in data:
            position = int((datum.time - start) // period)
            if 0 <= position < count and unit in ("", datum.unit):
                periods[position].append(datum)
        return [calculate(found, statistic) for found in periods]


@dataclass
class _Span:
    """From when to when something has stood, which may go on."""

    begin: float
    end: float
    is_open: bool = True


def _measure(spans: Iterable[_Span], begin: float, end: float) -> Iterator[Datum]:
    """What was measured between two times of what stood then; of what stands yet, also what will be."""
    for span in spans:
        since, until = max(span.begin, begin), end if span.is_open else min(span.end, end)
        if until > since:
            count = max(1, (until - since) // _MEASURED_SECONDS)
            yield Datum.of(0, time=since, count=count)


def choose_time(arrived: float, stamped: float) -> float:
    """When a datum counts that arrived and was stamped at these times of this machine, in seconds since 1970."""
    return arrived if abs(arrived - stamped) <= _LATE_SECONDS else stamped
