"""The rows of a CSV file of daily demand, each known to be right by itself.

A file has a header with these columns in any order; others are ignored:

    date,store,item,sales
    2013-01-01,1,1,13
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from headrace.demand.mistakes import Mistake
from headrace.inputs import open_input

DATE: Final = "date"
STORE: Final = "store"
ITEM: Final = "item"
SALES: Final = "sales"
COLUMNS: Final = (DATE, STORE, ITEM, SALES)
_MIDNIGHT: Final = ("00:00", "00:00:00")
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True)
class Row:
    """A row, and the line that it ends on."""

    line: int
    day: date
    store: str
    item: str
    sales: float


def read_rows(path: Path) -> Iterator[Row | Mistake]:
    """The rows of a file in their order, each of them, or what is wrong with it."""
    with io.TextIOWrapper(open_input(path), "utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, [])
            if mistake := _check_header(header):
                yield mistake
                return
            places = {column: header.index(column) for column in COLUMNS}
            for record in filter(None, reader):
                yield _read_row(reader.line_num, record, places, len(header))
        except csv.Error as error:
            yield Mistake(reader.line_num or 1, f"not readable as CSV: {error}; check the quotes and commas")


def _check_header(header: Sequence[str]) -> Mistake | None:
    if not header:
        return Mistake(1, f"the file is empty; it needs a header {','.join(COLUMNS)} and a row for each day")
    wrong = [column for column in COLUMNS if header.count(column) != 1]
    if not wrong:
        return None
    found = ", ".join(map(_show, header))
    return Mistake(1, f"the header must have {', '.join(wrong)} once, but has {found}; name the columns so")


def _read_row(line: int, record: Sequence[str], places: Mapping[str, int], width: int) -> Row | Mistake:
    if len(record) != width:
        return Mistake(line, f"expected {width} fields, found {len(record)}; look for a missing or a stray comma")
    cells = {column: record[place].strip() for column, place in places.items()}
    if any(not cells[column] for column in (STORE, ITEM)):
        empty = STORE if not cells[STORE] else ITEM
        return Mistake(line, f"{empty} is empty; say which {empty} the row is about")
    day = _read_day(cells[DATE])
    if isinstance(day, str):
        return Mistake(line, day)
    sales = _read_sales(cells[SALES])
    if isinstance(sales, str):
        return Mistake(line, sales)
    return Row(line, day, cells[STORE], cells[ITEM], sales)


def _read_day(text: str) -> date | str:
    """The day, or what is wrong with it."""
    day, _, time = text.replace("T", " ").partition(" ")
    if time and time not in _MIDNIGHT:
        return f"{_show(text)} has a time of day; sum the sales up by day, and write days as 2013-01-31"
    try:
        return date.fromisoformat(day)
    except ValueError:
        return f"date {_show(text)} is not a day such as 2013-01-31; write year, month and day in this order"


def _read_sales(text: str) -> float | str:
    """The sales, or what is wrong with them."""
    try:
        sales = float(text)
    except ValueError:
        sales = math.nan
    if not text:
        return "sales is empty; write 0 for a day on which nothing was sold"
    if not math.isfinite(sales) or "_" in text:
        return f"sales {_show(text)} is not a number; correct it"
    if sales < 0:
        return f"sales {text} is negative; leave returns out of the sales, and write 0 where nothing else was sold"
    return sales


def _show(text: str) -> str:
    shown = text.encode("utf-8", errors="backslashreplace").decode("utf-8")
    return repr(shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…")
