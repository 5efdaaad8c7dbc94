"""What the trees learn from, and are asked: the days of all series, with features and the demand that came."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .channels import Span
from .features import Days, History, Values, make_features


@dataclass(frozen=True)
class Examples:
    """Some days of some series: features, level, demand, the number of the series and that of the day."""

    features: NDArray[np.float32]
    levels: Values
    demand: Values
    series: NDArray[np.int64]
    days: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.demand)

    @property
    def shares(self) -> Values:
        """The demand as a share of the level, which is what the trees say."""
        return np.divide(self.demand, self.levels, out=np.zeros(len(self)), where=self.levels > 0)


def make_examples(span: Span, begin: int, end: int, horizon: int) -> Examples:
    """The examples of the days from `begin` up to `end`, without it, whose demand and level are known."""
    return _join(
        _list_examples(number, history, np.arange(max(begin, start), min(end, len(history.demand))), horizon)
        for number, (history, start) in enumerate(zip(span.histories, span.starts, strict=True))
    )


def make_last_examples(span: Span, horizon: int) -> Examples:
    """The examples of the last days of each series, as many as the horizon has."""
    return _join(
        _list_examples(number, history, np.arange(len(history.demand) - horizon, len(history.demand)), horizon)
        for number, history in enumerate(span.histories)
    )


def _list_examples(number: int, history: History, days: Days, horizon: int) -> Examples:
    days = days[days >= 0]
    made = make_features(history, days, horizon)
    demand = history.demand[days]
    known = np.isfinite(demand) & np.isfinite(made.levels)
    return Examples(made.rows[known], made.levels[known], demand[known], np.full(int(known.sum()), number), days[known])


def _join(parts: Iterable[Examples]) -> Examples:
    listed = list(parts)
    return Examples(*(np.concatenate([getattr(part, field.name) for part in listed]) for field in fields(Examples)))
