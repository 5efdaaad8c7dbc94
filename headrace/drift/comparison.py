"""How far what is asked has moved away from the training data; standard library only.

The measure is the population stability index of a column: the sum over its bins of (new - old) * ln(new / old), where
old and new are the bin's shares. It is the symmetrised relative entropy of the two (Jeffreys, 1946); 0.1 and 0.2 are
the usual marks for some and for much change (Siddiqi, Credit Risk Scorecards, 2006). Of the same distribution, with
B bins, m old and n new cells, it is about chi-squared of B - 1 degrees of freedom times (1/m + 1/n) (Yurdakul, 2018:
https://scholarworks.wmich.edu/dissertations/3208), which says how many cells are too few.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

from headrace.drift.contract import Verdict
from headrace.drift.profiles import Column, Profile

DEFAULT_THRESHOLD: Final = 0.2
DEFAULT_MIN_ROWS: Final = 100
# Of a thousand columns that have not changed, one may be called drifted at the fewest rows that count.
_CHANCE: Final = 0.001
# Half a cell more in each bin: an empty one would make the index infinite.
_ADDED: Final = 0.5


@dataclass(frozen=True)
class Change:
    """A column, then and now.

    Args:
        column: What it looked like in the training data.
        counts: How many of the new cells each bin holds.
        index: The population stability index; 0 where there are no new cells.
        verdict: What that means.
        needed: From how many cells on it means something; None for never, because there were too few training data.
    """

    column: Column
    counts: Mapping[str, int]
    index: float
    verdict: Verdict
    needed: int | None

    def render(self) -> dict[str, Any]:
        """It as JSON has it."""
        return {
            "column": self.column.name,
            "verdict": self.verdict,
            "index": round(self.index, 4),
            "cells": sum(self.counts.values()),
            "needed": self.needed,
        }


def compare(
    profile: Profile,
    rows: Sequence[Sequence[str]],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    min_rows: int = DEFAULT_MIN_ROWS,
) -> list[Change]:
    """Each column of the training data beside the same of new rows.

    Args:
        profile: What the training data look like.
        rows: Cells in the order of the profile's columns.
        threshold: Above which index a column has drifted.
        min_rows: Below how many rows nothing is said, however few would do.
    """
    return [
        _compare(column, (row[place] for row in rows), threshold, min_rows)
        for place, column in enumerate(profile.columns)
    ]


def decide(changes: Iterable[Change]) -> Verdict:
    """What is said of the whole: drifted if any column is, too few only if nothing can be said of any."""
    verdicts = {change.verdict for change in changes}
    for verdict in (Verdict.DRIFTED, Verdict.STEADY):
        if verdict in verdicts:
            return verdict
    return Verdict.TOO_FEW


def find_index(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    """The population stability index of two counts by bin, with half a cell more in each bin.

    Example:
        >>> round(find_index({"a": 50, "b": 50}, {"a": 80, "b": 20}), 3)
        0.405
    """
    labels = [label for label in dict.fromkeys((*old, *new)) if old.get(label) or new.get(label)]
    totals = [sum(side.values()) + _ADDED * len(labels) for side in (old, new)]
    shares = (
        [(side.get(label, 0) + _ADDED) / total for side, total in zip((old, new), totals, strict=True)]
        for label in labels
    )
    return sum((now - before) * math.log(now / before) for before, now in shares)


def find_needed(column: Column, threshold: float, min_rows: int) -> int | None:
    """From how many new cells on an index above the threshold is not chance, at one in a thousand.

    None where the training data themselves are too few for that, so that no number is enough.
    """
    noise = _find_chi_squared(max(len(column.counts) - 1, 1))
    left = threshold / noise - 1 / column.size
    return max(min_rows, math.ceil(1 / left)) if left > 0 else None


def _compare(column: Column, cells: Iterable[str], threshold: float, min_rows: int) -> Change:
    counts = column.count(cells)
    needed = find_needed(column, threshold, min_rows)
    size = sum(counts.values())
    index = find_index(column.counts, counts) if size else 0.0
    said = Verdict.DRIFTED if index > threshold else Verdict.STEADY
    return Change(column, counts, index, Verdict.TOO_FEW if needed is None or size < needed else said, needed)


def _find_chi_squared(freedom: int) -> float:
    """The value that chi-squared exceeds by chance only, by the approximation of Wilson and Hilferty (1931)."""
    deviation = NormalDist().inv_cdf(1 - _CHANCE)
    share = 2 / (9 * freedom)
    return freedom * (1 - share + deviation * math.sqrt(share)) ** 3
