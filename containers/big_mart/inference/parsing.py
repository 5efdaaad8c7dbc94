"""Reading the rows of a request's body, with errors that name the row and the column."""

import csv
import difflib
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .encoding import LARGEST_NUMBER, Encoding, Table

MOST_TOLD_CHARACTERS = 100


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
    """The rows of a JSON Lines body, one object per line; null is an unknown value."""
    lines = [line for line in decode(body).split("\n") if line.strip()]
    if not lines:
        raise BodyError("the body is empty; send at least one row")
    objects = [parse_object(row, line) for row, line in enumerate(lines, start=1)]
    check_keys(objects, encoding)
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
        raise BodyError(f"row {row}, column {column}: expected a number, found {shorten(cell)}")
    if not abs(value) <= LARGEST_NUMBER:
        raise BodyError(f"row {row}, column {column}: {shorten(cell)} is not a finite number")
    return value


class Members(list[tuple[str, Any]]):
    """The keys and values of a JSON object, in their order and with repeated ones."""

    def __repr__(self) -> str:
        return "{…}"


def parse_object(row: int, line: str) -> Mapping[str, Any]:
    """The object on one line, each key of which is there once and has a plain value."""
    try:
        members = json.loads(line, object_pairs_hook=Members)
    except (ValueError, RecursionError) as error:
        raise BodyError(f"row {row}: not JSON: {error}") from error
    if not isinstance(members, Members):
        raise BodyError(f"row {row}: expected a JSON object, found {shorten(line.strip())}")
    item = dict(members)
    if len(item) < len(members):
        keys = [key for key, _ in members]
        key = next(key for key in keys if keys.count(key) > 1)
        raise BodyError(f"row {row}: key {shorten(key)} is there {keys.count(key)} times, expected once")
    return item


def check_keys(objects: Sequence[Mapping[str, Any]], encoding: Encoding) -> None:
    """Refuse rows with a key that is not a column, or without a column that has to be there."""
    features = {*encoding.number_columns, *encoding.text_columns}
    required = features.difference(encoding.optional_columns)
    for row, item in enumerate(objects, start=1):
        for key in [key for key in item if key not in features]:
            check_other_column(row, key, item[key], encoding)
        missing = [column for column in encoding.columns if column in required and column not in item]
        if missing:
            raise BodyError(f"row {row}: {', '.join(missing)} missing; send null for an unknown value")


def check_other_column(row: int, key: str, value: object, encoding: Encoding) -> None:
    """Refuse a key that is not even a column without a feature, and there a value that no cell can have."""
    known = (*encoding.columns, encoding.target)
    if key not in known:
        raise BodyError(f"row {row}: unknown key {shorten(key)}; {suggest(key, known)}")
    if isinstance(value, list) or (isinstance(value, float) and not math.isfinite(value)):
        raise BodyError(f"row {row}, column {key}: expected a number, text or null, found {shorten(value)}")


def suggest(key: str, known: Sequence[str]) -> str:
    """What a key that is not known may have meant."""
    by_form = {form_of(name): name for name in known}
    close = difflib.get_close_matches(form_of(key), by_form, n=1)
    return f"did you mean {by_form[close[0]]}?" if close else f"known are {', '.join(known)}"


def form_of(name: str) -> str:
    """A name as it is compared with misspelt ones."""
    return re.sub(r"[\W_]", "", name[:MOST_TOLD_CHARACTERS]).lower()


def shorten(value: object) -> str:
    """So much of a caller's value as a message has room for."""
    text = repr(value)
    return text if len(text) <= MOST_TOLD_CHARACTERS else text[:MOST_TOLD_CHARACTERS] + "…"


def check_number(row: int, column: str, item: Mapping[str, Any]) -> float:
    """A finite number, or NaN for null."""
    value = item.get(column)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BodyError(f"row {row}, column {column}: expected a number or null, found {shorten(value)}")
    if not abs(value) <= LARGEST_NUMBER:
        raise BodyError(f"row {row}, column {column}: {shorten(value)} is not a finite number")
    return float(value)


def check_text(row: int, column: str, item: Mapping[str, Any]) -> str:
    """A text, "" for null."""
    value = item.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BodyError(f"row {row}, column {column}: expected text or null, found {shorten(value)}")
    return value
