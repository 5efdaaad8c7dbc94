"""Finding where a CSV file is wrong, row by row, once it is known to be wrong."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from . import schema
from .csv_text import NUL, open_text, read_records
from .failures import SalesError
from .sales import LARGEST_NUMBER

FINITE_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
OTHER_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)


class MistakeKind(StrEnum):
    """What can be wrong with a row."""

    ENCODING = "encoding"
    QUOTING = "quoting"
    FIELDS = "fields"
    TEXT = "text"
    RANGE = "range"
    TARGET = "target"


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, with the line its row starts at."""

    kind: MistakeKind
    line: int
    column: str | None
    text: str


def check_rows(path: Path, name: str) -> None:
    """Raise the file's first mistake, with the number of others of its kind."""
    mistakes = list(find_mistakes(path))
    if not mistakes:
        return
    first = mistakes[0]
    column = f", column {first.column}" if first.column else ""
    more = sum(mistake.kind is first.kind for mistake in mistakes) - 1
    others = f" ({more} more of this kind in the file)" if more else ""
    raise SalesError(f"{name}, line {first.line}{column}: {first.text}{others}")


def read_header(path: Path) -> list[str]:
    """The names in the first row; none when the file is empty."""
    return next(read_records(path), [])


def find_mistakes(path: Path) -> Iterator[Mistake]:
    """Every mistake of the file, in order."""
    with open_text(path) as lines:
        reader = csv.reader(lines, strict=True)
        header: list[str] = []
        line = 1
        try:
            for record in reader:
                if header and record:
                    yield from find_row_mistakes(header, line, record)
                header = header or record
                line = reader.line_num + 1
        except csv.Error as error:
            yield Mistake(MistakeKind.QUOTING, line, None, f"not readable as CSV: {error}; check the quotes")


def find_row_mistakes(header: list[str], line: int, record: list[str]) -> Iterator[Mistake]:
    """The mistakes of one row; its cells are looked at only when their number is right."""
    if len(record) != len(header):
        yield Mistake(
            MistakeKind.FIELDS,
            line,
            None,
            f"expected {len(header)} fields, found {len(record)}; look for a missing comma or one that needs quotes",
        )
        return
    for column, cell in zip(header, record, strict=True):
        mistake = find_cell_mistake(column, cell)
        if mistake:
            yield Mistake(mistake[0], line, column, mistake[1])


def find_cell_mistake(column: str, cell: str) -> tuple[MistakeKind, str] | None:
    """What is wrong with one cell, if anything."""
    if not is_utf8(cell):
        return MistakeKind.ENCODING, "not UTF-8; save the file as UTF-8"
    if NUL in cell:
        return MistakeKind.ENCODING, "a NUL byte; save the file again as text"
    if column == schema.TARGET and not cell:
        return MistakeKind.TARGET, "the target is empty; give every row its sales, or remove the row"
    if cell and column in (*schema.NUMBERS, schema.TARGET):
        return find_number_mistake(cell)
    return None


def is_utf8(cell: str) -> bool:
    """False when decoding had to smuggle bytes through as surrogates."""
    return not any("\udc80" <= character <= "\udcff" for character in cell)


def find_number_mistake(cell: str) -> tuple[MistakeKind, str] | None:
    """What keeps the cell from being a finite number, if anything."""
    if OTHER_NUMBER.fullmatch(cell) or (FINITE_NUMBER.fullmatch(cell) and abs(float(cell)) > LARGEST_NUMBER):
        return MistakeKind.RANGE, f"{cell!r} is not a finite number; correct it, or leave the cell empty if unknown"
    if not FINITE_NUMBER.fullmatch(cell):
        return MistakeKind.TEXT, f"expected a number, found {cell!r}; correct it, or leave the cell empty if unknown"
    return None
