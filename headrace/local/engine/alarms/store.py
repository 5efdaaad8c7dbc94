"""What was put for each metric, for as long as an alarm may look back."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.local.engine.alarms.statistics import Datum, calculate

# The most that the periods of an alarm may span together: seven days.
MOST_SECONDS: Final = 7 * 86_400
# What was put with a time that is farther off than this is told of then, not of now.
_LATE_SECONDS: Final = 60


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

    def put(self, metric: Metric, datum: Datum) -> None:
        """Keep what was put, and forget what no alarm can look back to."""
        with self._lock:
            data = self._data[metric]
            data.append(datum)
            if data[0].time < datum.time - 2 * MOST_SECONDS:
                self._data[metric] = [kept for kept in data if kept.time >= datum.time - MOST_SECONDS]

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
        for datum in data:
            position = int((datum.time - start) // period)
            if 0 <= position < count and unit in ("", datum.unit):
                periods[position].append(datum)
        return [calculate(found, statistic) for found in periods]


def choose_time(arrived: float, stamped: float) -> float:
    """When a datum counts that arrived and was stamped at these times of this machine, in seconds since 1970."""
    return arrived if abs(arrived - stamped) <= _LATE_SECONDS else stamped
