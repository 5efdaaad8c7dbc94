"""What a column looks like: which share of its cells lies in which bin; standard library only."""

import bisect
import json
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from headrace.errors import HeadraceError

FORMAT: Final = "headrace-profile"
VERSION: Final = 1
MISSING: Final = "(empty)"
OTHER: Final = "(other)"
# Tenths of the training data, as is usual for this index.
_BINS: Final = 10
# More categories than that are one bin: each bin needs cells to say something.
_MOST_CATEGORIES: Final = 20
# A column of which this share are numbers is one of numbers.
_NUMERIC_SHARE: Final = 0.99
_FEWEST_DIGITS: Final = 6
# So many tell any two numbers apart.
_MOST_DIGITS: Final = 17

Kind = Literal["number", "category"]


class ProfileError(HeadraceError):
    """Rows that cannot be profiled, or a profile that cannot be read; the message says why."""


@dataclass(frozen=True)
class Column:
    """How the cells of a column were spread over bins in the training data.

    Args:
        name: Its name.
        kind: Whether its cells are numbers.
        edges: Where the bins of numbers end, ascending: bin i holds what is above edge i - 1 and at most edge i, and
            the last one what is above all of them. None for categories.
        counts: How many cells each bin held, by the bin's label. Categories have their own labels.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...]
    counts: Mapping[str, int]

    @property
    def size(self) -> int:
        """How many cells it had."""
        return sum(self.counts.values())

    @property
    def captions(self) -> dict[str, str]:
        """For people, the labels of bins of numbers with as few digits as tell them apart."""
        rounded = ([f"{edge:.{digits}g}" for edge in self.edges] for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1))
        edges = next(texts for texts in rounded if len({*texts}) == len(texts))
        return dict(zip(_list_labels(self.edges), _write_labels(edges), strict=True))

    def find_bin(self, cell: str) -> str:
        """The label of the bin that a cell belongs to."""
        text = cell.strip()
        if not text:
            return MISSING
        if self.kind == "category":
            return text if text in self.counts else OTHER
        number = parse_number(text)
        return OTHER if number is None else _list_labels(self.edges)[bisect.bisect_left(self.edges, number)]

    def count(self, cells: Iterable[str]) -> dict[str, int]:
        """How many cells fall into each bin, those of the training data and no others."""
        found = Counter(self.find_bin(cell) for cell in cells)
        return {label: found[label] for label in dict.fromkeys((*self.counts, *found))}

    def render(self) -> dict[str, Any]:
        """It as JSON has it."""
        return {"name": self.name, "kind": self.kind, "edges": list(self.edges), "counts": dict(self.counts)}


@dataclass(frozen=True)
class Profile:
    """What training data look like.

    Args:
        rows: How many rows there were.
        columns: Their columns, in their order in a row.
    """

    rows: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def render(self) -> dict[str, Any]:
        """It as JSON has it."""
        columns = [column.render() for column in self.columns]
        return {"format": FORMAT, "version": VERSION, "rows": self.rows, "columns": columns}


def make_profile(header: Sequence[str], rows: Iterable[Sequence[str]], *, without: str | None = None) -> Profile:
    """What rows look like, column by column.

    Args:
        header: The names of the columns.
        rows: Cells in the order of the header.
        without: A column that requests do not have: what the model predicts.

    Raises:
        ProfileError: If there are no rows, one has more or fewer cells than the header, or a name is not there.
    """
    if without is not None and without not in header:
        raise ProfileError(f"there is no column {without!r}; there are {', '.join(header)}")
    cells: list[list[str]] = [[] for _ in header]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ProfileError(f"row {number}: has {len(row)} cells, the header {len(header)}")
        for column, cell in zip(cells, row, strict=True):
            column.append(cell.strip())
    if not cells or not cells[0]:
        raise ProfileError("there are no rows below the header")
    columns = (_profile(name, column) for name, column in zip(header, cells, strict=True) if name != without)
    return Profile(len(cells[0]), tuple(columns))


def dump_profile(profile: Profile) -> str:
    """The content of a profile's file."""
    return json.dumps(profile.render(), ensure_ascii=False, indent=1) + "\n"


def read_profile(content: Any) -> Profile:
    """The profile that a JSON value holds.

    Raises:
        ProfileError: If it holds none, or one of another version.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise ProfileError(f'is not a profile: there is no "format": "{FORMAT}"')
    if content.get("version") != VERSION:
        raise ProfileError(f"is a profile of version {content.get('version')}; this program reads version {VERSION}")
    try:
        return Profile(int(content["rows"]), tuple(_read_column(column) for column in content["columns"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ProfileError(f"is not a whole profile: {type(error).__name__} {error}") from error


def parse_number(text: str) -> float | None:
    """The finite number that a cell holds, if it holds one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _profile(name: str, cells: Sequence[str]) -> Column:
    full = [cell for cell in cells if cell]
    numbers = [number for number in map(parse_number, full) if number is not None]
    if numbers and len(numbers) >= _NUMERIC_SHARE * len(full) and len(set(numbers)) > 2:
        edges = tuple(sorted(set(_list_edges(numbers))))
        empty = Column(name, "number", edges, dict.fromkeys(_list_labels(edges), 0))
    else:
        common = [cell for cell, _ in sorted(Counter(full).items(), key=lambda each: (-each[1], each[0]))]
        empty = Column(name, "category", (), dict.fromkeys(common[:_MOST_CATEGORIES], 0))
    return Column(name, empty.kind, empty.edges, empty.count(cells))


def _list_edges(numbers: Sequence[float]) -> Iterator[float]:
    """Where tenths end; few different numbers have an edge each, below the last."""
    different = sorted(set(numbers))
    if len(different) <= _BINS:
        yield from different[:-1]
    else:
        yield from statistics.quantiles(numbers, n=_BINS, method="inclusive")


@cache
def _list_labels(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Each number with all its digits: those of two edges may differ in the last one."""
    return _write_labels([repr(edge).removesuffix(".0") for edge in edges])


def _write_labels(edges: Sequence[str]) -> tuple[str, ...]:
    return (*(f"≤ {edge}" for edge in edges), f"> {edges[-1]}") if edges else ()


def _read_column(content: Mapping[str, Any]) -> Column:
    kind = content["kind"]
    if kind not in ("number", "category"):
        raise ValueError(f"kind {kind!r}")
    edges = tuple(float(edge) for edge in content["edges"])
    if not all(map(math.isfinite, edges)) or list(edges) != sorted({*edges}) or (kind == "number") != bool(edges):
        raise ValueError(f"edges {edges}")
    counts = {str(label): int(count) for label, count in content["counts"].items()}
    if edges and counts.keys() - {MISSING, OTHER} != {*_list_labels(edges)}:
        raise ValueError(f"bins {', '.join(counts)}")
    return Column(str(content["name"]), kind, edges, counts)
