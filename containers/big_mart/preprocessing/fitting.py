"""Learning the encoding from the training rows, wherever they are.

Each instance of the job measures its own rows, and all of them put the measurements of all together: counts, and sums
without rounding. So they learn the same, to the last digit, as one instance does that has every row.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import schema
from .encoding import (
    CategoryFeature,
    Encoding,
    MeanFill,
    NumericFeature,
    RuleFill,
    clean_categories,
    fill_categories,
)
from .exact_sums import BLOCK_ROWS, add_exactly
from .sales import CategoryColumn, Mask, Numbers, Sales

# Takes what this instance found, and gives what each instance did; all of it is JSON.
Gather = Callable[[Any], list[Any]]


@dataclass(frozen=True)
class Group:
    """The cells of a number column in the rows of one group: how many are known, their sum, and how many are empty."""

    known: int = 0
    total: Fraction = Fraction(0)
    empty: int = 0

    def __add__(self, other: Self) -> "Group":
        return Group(self.known + other.known, self.total + other.total, self.empty + other.empty)

    def dump(self) -> list[Any]:
        """The group as JSON has it."""
        return [self.known, str(self.total), self.empty]

    @classmethod
    def load(cls, dumped: Sequence[Any]) -> Self:
        """The group that was dumped."""
        known, total, empty = dumped
        return cls(int(known), Fraction(total), int(empty))


# By name; rows whose group is unknown are in that without a name.
Groups = Mapping[str, Group]


def fit_encoding(sales: Sales, training: Mask, gather: Gather) -> Encoding:
    """Learn means, categories and scales from the training rows of all instances."""
    cleaned = clean_categories(sales)
    groups = _gather_groups(sales, cleaned, training, gather)
    counts = _gather_counts(cleaned, training, gather)
    fills = {column: find_fill(column, groups[column]) for column in groups}
    means = {column: find_mean(groups[column], fill) for column, fill in fills.items()}
    squares = _gather_squares(sales, means, training, gather)
    features: list[NumericFeature | CategoryFeature] = []
    for column in sales.columns:
        if column in groups:
            scale = find_scale(squares[column], groups[column], fills[column], means[column])
            features.append(NumericFeature(column=column, fill=fills[column], mean=means[column], scale=scale))
        elif column in counts:
            features.append(describe_category(column, counts[column]))
    return Encoding(columns=sales.columns, features=tuple(features))


def measure_groups(values: Numbers, by: CategoryColumn | None, rows: Mask) -> dict[str, Group]:
    """The cells of some rows, by the name that each row has in another column."""
    names, codes = _number_names(by) if by else (("",), np.zeros(len(values), np.intp))
    known, empty = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    totals = [Fraction(0)] * len(names)
    for start in range(0, len(values), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        cells, groups = values[block][rows[block]], codes[block][rows[block]]
        is_empty = np.isnan(cells)
        empty += np.bincount(groups[is_empty], minlength=len(names))
        known += np.bincount(groups[~is_empty], minlength=len(names))
        totals = add_exactly(totals, cells[~is_empty], groups[~is_empty])
    return {name: Group(int(known[i]), totals[i], int(empty[i])) for i, name in enumerate(names)}


def find_fill(column: str, groups: Groups) -> MeanFill:
    """What replaces an empty cell: the mean of its group, or that of all."""
    by = schema.MEAN_BY.get(column)
    known = sum(group.known for group in groups.values())
    total = sum((group.total for group in groups.values()), Fraction(0))
    return MeanFill(
        by=by,
        values={
            name: float(group.total / group.known) for name, group in sorted(groups.items()) if name and group.known
        },
        otherwise=float(total / known) if known else 0.0,
    )


def find_mean(groups: Groups, fill: MeanFill) -> float:
    """The mean of a column whose empty cells are filled."""
    rows = sum(group.known + group.empty for group in groups.values())
    filled = (Fraction(fill.values.get(name, fill.otherwise)) * group.empty for name, group in groups.items())
    total = sum((group.total for group in groups.values()), sum(filled, Fraction(0)))
    return float(total / rows) if rows else 0.0


def add_squares(values: Numbers, mean: float, rows: Mask) -> Fraction:
    """The squares of how far the known cells of some rows are from a mean, added up."""
    totals = [Fraction(0)]
    for start in range(0, len(values), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        away = values[block][rows[block]] - mean
        away = away[~np.isnan(away)]
        totals = add_exactly(totals, away * away, np.zeros(len(away), np.intp))
    return totals[0]


def find_scale(squares: Fraction, groups: Groups, fill: MeanFill, mean: float) -> float:
    """The population standard deviation of a column whose empty cells are filled; 1 where they do not vary."""
    rows = sum(group.known + group.empty for group in groups.values())
    for name, group in groups.items():
        squares += Fraction(fill.values.get(name, fill.otherwise) - mean) ** 2 * group.empty
    return math.sqrt(squares / rows) if rows and squares else 1.0


def count_names(column: CategoryColumn, rows: Mask) -> Counter[str]:
    """In how many of some rows each name stands; the empty one is a missing value."""
    codes = column.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.names))
    found: Counter[str] = Counter()
    for name, count in zip(column.names, counts.tolist(), strict=True):
        if name and count:
            found[name] += count
    return found


def describe_category(column: str, counts: Mapping[str, int]) -> CategoryFeature:
    """A text column's categories, and the mean and scale of their numbers."""
    categories = tuple(sorted(counts))
    rows = sum(counts.values())
    mean = float(Fraction(sum(place * counts[name] for place, name in enumerate(categories)), rows)) if rows else 0.0
    squares = sum(((place - Fraction(mean)) ** 2 * counts[name] for place, name in enumerate(categories)), Fraction(0))
    return CategoryFeature(
        column=column,
        spellings=dict(schema.SPELLINGS.get(column, {})),
        fill=_find_rule(column),
        categories=categories,
        mean=mean,
        scale=math.sqrt(squares / rows) if len(categories) > 1 else 1.0,
    )


def _find_rule(column: str) -> RuleFill | None:
    rule = schema.CATEGORY_FILLS.get(column)
    return RuleFill(by=rule.by, values=dict(rule.values)) if rule else None


def _number_names(column: CategoryColumn) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Every name once, the empty one included, and which of them each row has."""
    names = tuple(sorted({"", *column.names}))
    # The code of a missing name, -1, is the table's last entry.
    table = np.array([*(names.index(name) for name in column.names), names.index("")], dtype=np.intp)
    return names, table[column.codes]


def _gather_groups(
    sales: Sales, cleaned: Mapping[str, CategoryColumn], training: Mask, gather: Gather
) -> dict[str, dict[str, Group]]:
    own: dict[str, dict[str, list[Any]]] = {}
    for column in filter(sales.numbers.__contains__, sales.columns):
        by = schema.MEAN_BY.get(column)
        groups = measure_groups(sales.numbers[column], cleaned[by] if by else None, training)
        own[column] = {name: group.dump() for name, group in groups.items()}
    merged: dict[str, dict[str, Group]] = {column: {} for column in own}
    for found in gather(own):
        for column, groups in merged.items():
            for name, dumped in found[column].items():
                groups[name] = groups.get(name, Group()) + Group.load(dumped)
    return merged


def _gather_counts(cleaned: Mapping[str, CategoryColumn], training: Mask, gather: Gather) -> dict[str, Counter[str]]:
    own = {
        column: count_names(fill_categories(names, _find_rule(column), cleaned), training)
        for column, names in cleaned.items()
    }
    merged: dict[str, Counter[str]] = {column: Counter() for column in own}
    for found in gather(own):
        for column, counts in merged.items():
            counts.update(found[column])
    return merged


def _gather_squares(sales: Sales, means: Mapping[str, float], training: Mask, gather: Gather) -> dict[str, Fraction]:
    own = {column: str(add_squares(sales.numbers[column], mean, training)) for column, mean in means.items()}
    every = gather(own)
    return {column: sum((Fraction(found[column]) for found in every), Fraction(0)) for column in own}
