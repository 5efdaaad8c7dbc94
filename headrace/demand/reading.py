"""Series of daily demand out of a file, and everything that is wrong with them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from headrace.demand.mistakes import Mistake
from headrace.demand.rows import COLUMNS, Row, read_rows
from headrace.errors import HeadraceError, naming
from headrace.wording import counted

__all__ = ["COLUMNS", "DemandError", "Series", "find_mistakes", "read_demand"]

_DAY: Final = 1
_WEEK: Final = 7
# How far the first days of months are apart.
_MONTHS: Final = range(28, 32)

# A series is an item in a store.
Key = tuple[str, str]


class DemandError(HeadraceError):
    """A file of demand that cannot be used; the message says the file, the line, what is wrong and what to do."""


@dataclass(frozen=True)
class Series:
    """What was sold of an item in a store, day by day from the first one on."""

    store: str
    item: str
    start: date
    sales: tuple[float, ...]

    @property
    def end(self) -> date:
        """The last day."""
        return self.start + timedelta(days=len(self.sales) - 1)


def read_demand(path: Path, name: str | None = None) -> list[Series]:
    """The series of a file, in the order of stores and items.

    Args:
        path: The file.
        name: What messages call it.

    Raises:
        DemandError: If anything is wrong with it.
    """
    called = name or path.name
    with naming(called, DemandError):
        rows = list(read_rows(path))
    if mistakes := sorted(_find(rows)):
        first = mistakes[0]
        more = f" ({counted(len(mistakes) - 1, 'more mistake')} in the file)" if len(mistakes) > 1 else ""
        raise DemandError(f"{called}, line {first.line}: {first.text}{more}")
    groups = _group(row for row in rows if isinstance(row, Row))
    if not groups:
        raise DemandError(f"{called}: the file has a header but no rows; give it a row for each day")
    return [
        Series(store, item, group[0].day, tuple(row.sales for row in group))
        for (store, item), group in sorted(groups.items(), key=lambda entry: tuple(map(_in_order, entry[0])))
    ]


def find_mistakes(path: Path) -> list[Mistake]:
    """Everything that is wrong with a file, in the order of its lines.

    Raises:
        DemandError: If it cannot be read at all.
    """
    with naming(path.name, DemandError):
        return sorted(_find(list(read_rows(path))))


def _find(rows: Sequence[Row | Mistake]) -> Iterator[Mistake]:
    wrong = [row for row in rows if isinstance(row, Mistake)]
    groups = _group(row for row in rows if isinstance(row, Row))
    yield from wrong
    for key, group in groups.items():
        yield from _find_doubled(key, group)
    # Where rows cannot be read, the days that they stand for would be missing as well.
    if not wrong:
        yield from _find_breaks(groups)


def _group(rows: Iterable[Row]) -> Mapping[Key, list[Row]]:
    """The rows of each series, in the order of days."""
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.store, row.item].append(row)
    for group in groups.values():
        group.sort(key=lambda row: row.day)
    return groups


def _find_step(group: Sequence[Row]) -> int:
    """How many days most rows of a series are apart."""
    steps = Counter((after.day - before.day).days for before, after in pairwise(group))
    steps.pop(0, None)
    return steps.most_common(1)[0][0] if steps else _DAY


def _describe_step(key: Key, group: Sequence[Row], step: int, usual: int) -> Mistake:
    rhythm = {_WEEK: "a row a week"}.get(step, "a row a month" if step in _MONTHS else f"a row every {step} days")
    others = ", while other series have one a day" if usual == _DAY else ""
    return Mistake(
        group[1].line,
        f"{_name(key)} has {rhythm}{others}; give every series a row for each day, or leave this one out",
    )


def _find_breaks(groups: Mapping[Key, Sequence[Row]]) -> Iterator[Mistake]:
    """Series without a row for each day: those of another rhythm, and days that are missing."""
    steps = {key: _find_step(group) for key, group in groups.items()}
    usual = Counter(steps.values()).most_common(1)[0][0] if steps else _DAY
    for key, group in groups.items():
        if steps[key] == _DAY:
            yield from _find_gaps(key, group)
        else:
            yield _describe_step(key, group, steps[key], usual)


def _find_gaps(key: Key, group: Sequence[Row]) -> Iterator[Mistake]:
    for before, after in pairwise(group):
        missing = (after.day - before.day).days - 1
        if missing > 0:
            first = before.day + timedelta(days=1)
            days = f"{first} is missing" if missing == 1 else f"the {missing} days from {first} on are missing"
            yield Mistake(
                after.line,
                f"{_name(key)}: {days} before {after.day}; add a row for each, with 0 where nothing was sold",
            )


def _find_doubled(key: Key, group: Sequence[Row]) -> Iterator[Mistake]:
    for before, after in pairwise(group):
        if before.day == after.day:
            lines = sorted((before.line, after.line))
            yield Mistake(
                lines[1], f"{_name(key)} has {after.day} on line {lines[0]} already; keep one of them, or their sum"
            )


def _name(key: Key) -> str:
    return f"item {key[1]} in store {key[0]}"


def _in_order(name: str) -> tuple[int, str]:
    """Numbers by their size, names by their letters."""
    return (int(name), "") if name.isascii() and name.isdecimal() else (2**63, name)
