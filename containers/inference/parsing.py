"""Reading the rows of a request's body, with errors that name the row and the column."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .encoding import LARGEST_NUMBER, Encoding, Table


class BodyError(Exception):
    """A body that cannot be read; its message names the row, counted from 1, and the column."""


def parse_csv(body: bytes, encoding: Encoding, *, header: bool | None) -> Table:
    """The rows of a CSV body; a header is recognised unless `header` says whether there is one."""
    records = read_records(decode(body))
    if not records:
        raise BodyError("the body is empty; send at least one row")
    if header is None:
        header = is_header(records[0], encoding)
    names: Sequence[str] = encoding.columns
    if header:
        names = check_header(records[0], encoding)
        records = records[1:]
    if not records:
        raise BodyError("the body has a header but no rows; send at least one row")
    for row, record in enumerate(records, start=1):
        if len(record) != len(names):
            raise BodyError(f"row {row}: expected {len(names)} fields ({', '.join(names)}), found {len(record)}")
    columns = dict(zip(names, zip(*records, strict=True), strict=True))
    return Table(
        rows=len(records),
        numbers={
            column: [parse_number(row, column, cell) for row, cell in enumerate(columns[column], start=1)]
            for column in encoding.number_columns
        },
        texts={column: columns[column] for column in encoding.text_columns},
    )


def parse_json_lines(body: bytes, encoding: Encoding) -> Table:
    """The rows of a JSON Lines body, one object per line; a missing key is an unknown value."""
    lines = [line for line in decode(body).split("\n") if line.strip()]
    if not lines:
        raise BodyError("the body is empty; send at least one row")
    objects = [parse_object(row, line) for row, line in enumerate(lines, start=1)]
    return Table(
        rows=len(objects),
        numbers={
            column: [check_number(row, column, item) for row, item in enumerate(objects, start=1)]
            for column in encoding.number_columns
        },
        texts={
            column: [check_text(row, column, item) for row, item in enumerate(objects, start=1)]
            for column in encoding.text_columns
        },
    )


def decode(body: bytes) -> str:
    """The body's text."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BodyError(f"byte {error.start + 1} of the body is not UTF-8") from error


def read_records(text: str) -> list[list[str]]:
    """The records of a CSV text without blank lines."""
    records: list[list[str]] = []
    try:
        records.extend(record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record)
    except csv.Error as error:
        raise BodyError(f"row {len(records) + 1}: not readable as CSV: {error}") from error
    return records


def is_header(record: Sequence[str], encoding: Encoding) -> bool:
    """True for a record with a column's name in it, which no data row has."""
    return not {*encoding.columns, encoding.target}.isdisjoint(record)


def check_header(record: Sequence[str], encoding: Encoding) -> Sequence[str]:
    """The header, once every column that is needed is known to be there once."""
    for column in (*encoding.number_columns, *encoding.text_columns):
        if record.count(column) != 1:
            raise BodyError(f"the header has column {column} {record.count(column)} times, expected once")
    return record


def parse_number(row: int, column: str, cell: str) -> float:
    """The number in a CSV cell, NaN for an empty one."""
    if not cell:
        return math.nan
    try:
        value: float | None = float(cell)
    except ValueError:
        value = None
    # float() also takes underscores between digits, and digits of other scripts.
    if value is None or "_" in cell or not cell.isascii():
        raise BodyError(f"row {row}, column {column}: expected a number, found {cell!r}")
    if not abs(value) <= LARGEST_NUMBER:
        raise BodyError(f"row {row}, column {column}: {cell!r} is not a finite number")
    return value


def parse_object(row: int, line: str) -> Mapping[str, Any]:
    """The object on one line."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BodyError(f"row {row}: not JSON: {error}") from error
    if not isinstance(item, dict):
        raise BodyError(f"row {row}: expected a JSON object, found {line.strip()[:40]!r}")
    return item


def check_number(row: int, column: str, item: Mapping[str, Any]) -> float:
    """A finite number, or NaN for null."""
    value = item.get(column)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BodyError(f"row {row}, column {column}: expected a number or null, found {value!r}")
    if not abs(value) <= LARGEST_NUMBER:
        raise BodyError(f"row {row}, column {column}: {value!r} is not a finite number")
    return float(value)


def check_text(row: int, column: str, item: Mapping[str, Any]) -> str:
    """A text, "" for null."""
    value = item.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BodyError(f"row {row}, column {column}: expected text or null, found {value!r}")
    return value
