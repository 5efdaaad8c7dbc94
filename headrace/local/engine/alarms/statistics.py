"""Statistics of what was put for a metric in one period."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

BASIC: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True, kw_only=True)
class Datum:
    """Samples of a metric: one value seen so many times, or a set of statistics.

    Args:
        time: When they were put, in seconds since 1970 on the local cloud's clock.
        count: How many they are.
        total: Their sum.
        low: The smallest,
        high: and the greatest.
        unit: Their unit.
    """

    time: float
    count: float
    total: float
    low: float
    high: float
    unit: str = "None"

    @classmethod
    def of(cls, value: float, *, time: float, count: float = 1, unit: str = "None") -> "Datum":
        """One value, seen so many times."""
        return cls(time=time, count=count, total=value * count, low=value, high=value, unit=unit)


def is_statistic(name: str) -> bool:
    """Whether alarms can be evaluated by a statistic: a basic one or a percentile."""
    return name in BASIC or _PERCENTILE.fullmatch(name) is not None


def calculate(data: Iterable[Datum], statistic: str) -> float | None:
    """A statistic of the samples of one period; None where there are none.

    Percentiles exist only where every datum is of one value and none is negative, as CloudWatch has it.
    """
    present = [datum for datum in data if datum.count > 0]
    if not present:
        return None
    if found := _PERCENTILE.fullmatch(statistic):
        return _interpolate(present, float(found[1]))
    count, total = sum(datum.count for datum in present), sum(datum.total for datum in present)
    return {
        "SampleCount": count,
        "Sum": total,
        "Average": total / count,
        "Minimum": min(datum.low for datum in present),
        "Maximum": max(datum.high for datum in present),
    }[statistic]


def _interpolate(data: list[Datum], percent: float) -> float | None:
    if any(datum.low != datum.high or datum.low < 0 for datum in data):
        return None
    ordered = sorted((datum.low, datum.count) for datum in data)
    rank = max(sum(count for _, count in ordered) - 1, 0) * percent / 100
    below, above = _find_ranked(ordered, math.floor(rank)), _find_ranked(ordered, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))


def _find_ranked(ordered: list[tuple[float, float]], rank: float) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if rank < seen:
            return value
    return ordered[-1][0]
