"""Rows of numbers as CSV without a header and with the label first, as SageMaker's algorithms take them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np

from headrace.errors import explain_os_error
from headrace.inputs import open_input, read_text_lines
from headrace.recordio.framing import RecordIOError
from headrace.recordio.records import Array, TensorType
from headrace.recordio.rows import Rows, SparseRows

MOST_LINES = 16_384
DELIMITER = ","


def read_csv(path: Path, tensor_type: TensorType = TensorType.FLOAT32, *, labelled: bool = True) -> Iterator[Rows]:
    """The rows of a CSV file, in bounded memory.

    Args:
        path: The file.
        tensor_type: What to read the numbers as.
        labelled: Whether the first column is the label.
    """
    try:
        with open_input(path) as file:
            yield from _read_batches(path, drop_blank_end(read_text_lines(file)), tensor_type, labelled)
    except OSError as error:
        raise RecordIOError(explain_os_error(error, path)) from error
    except UnicodeDecodeError as error:
        raise RecordIOError(f"{path}: is not UTF-8 text; give a CSV file of numbers") from error


def drop_blank_end(lines: Iterable[str]) -> Iterator[str]:
    """Lines without the blank ones at the end, which editors and spreadsheets leave there."""
    blank = 0
    for line in lines:
        if line.strip():
            yield from repeat("\n", blank)
            yield line
            blank = 0
        else:
            blank += 1


def _read_batches(path: Path, lines_left: Iterator[str], tensor_type: TensorType, labelled: bool) -> Iterator[Rows]:
    first_line, width = 1, 0
    while lines := list(islice(lines_left, MOST_LINES)):
        try:
            table = parse_lines(lines, tensor_type)
            width = width or table.shape[1]
            if table.shape[1] != width:
                raise ValueError
        except ValueError as error:
            raise RecordIOError(f"{path}, {find_problem(lines, first_line, width, tensor_type)}") from error
        if labelled and width < 2:
            raise RecordIOError(
                f"{path}: has one column, which is the label; add features, or say that there is no label"
            )
        yield Rows(table[:, 1:], np.ascontiguousarray(table[:, 0])) if labelled else Rows(table)
        first_line += len(lines)
    if not width:
        raise RecordIOError(f"{path}: has no rows; give lines of numbers with commas between them")


def parse_lines(lines: Sequence[str], tensor_type: TensorType) -> Array:
    """The numbers of some lines."""
    if not all(line.strip() for line in lines):
        raise ValueError
    numbers = np.loadtxt(lines, np.float64, delimiter=DELIMITER, comments=None, ndmin=2)
    with np.errstate(over="ignore", invalid="ignore"):
        table = numbers.astype(tensor_type.dtype)
    if tensor_type is TensorType.INT32 and not np.array_equal(table, numbers):
        raise ValueError
    if not np.array_equal(np.isinf(table), np.isinf(numbers)) or _overflows(lines, numbers):
        raise ValueError
    return table


def _overflows(lines: Sequence[str], numbers: Array) -> bool:
    """Whether an infinite number is written with digits, such as 1e400, and so is not what is meant."""
    places = np.argwhere(np.isinf(numbers)).tolist()
    return any(any(map(str.isdigit, lines[row].split(DELIMITER)[column])) for row, column in places)


def find_problem(lines: Sequence[str], first_line: int, width: int, tensor_type: TensorType) -> str:
    """What is wrong with the first bad line, and which it is."""
    width = width or lines[0].count(DELIMITER) + 1
    for number, line in enumerate(lines, start=first_line):
        fields = line.rstrip("\n").split(DELIMITER)
        if len(fields) != width:
            return f"line {number}: has {len(fields)} fields, expected {width}"
        for column, text in enumerate(fields, start=1):
            if not is_number(text, tensor_type):
                return (
                    f"line {number}, column {column}: {text!r} is not a number of type {tensor_type}; "
                    "give numbers only, without a header"
                )
    return f"line {first_line}: cannot be read as numbers"


def is_number(text: str, tensor_type: TensorType) -> bool:
    """Whether a field is a number of the type."""
    try:
        parse_lines([text], tensor_type)
    except ValueError:
        return False
    return True


def render_csv(rows: Rows) -> Iterator[str]:
    """Rows as lines of CSV, the label first where there is one; numbers as short as they read back the same."""
    labels = [] if rows.labels is None else rows.labels.astype(str).tolist()
    for position, features in enumerate(iterate_features(rows.features)):
        yield DELIMITER.join([*labels[position : position + 1], *features.astype(str).tolist()])


def iterate_features(features: Array | SparseRows) -> Iterator[Array]:
    """The features of each row, of sparse ones with all zeros."""
    if not isinstance(features, SparseRows):
        yield from features
        return
    for begin, end in pairwise(features.indptr.tolist()):
        dense = np.zeros(features.shape[1], features.data.dtype)
        dense[features.indices[begin:end]] = features.data[begin:end]
        yield dense


def render_json(rows: Rows) -> Iterator[str]:
    """Rows as lines of JSON: `{"label": 1.0, "features": [...]}`, sparse ones with keys, values and width."""
    labels = None if rows.labels is None else rows.labels.tolist()
    for position, features in enumerate(describe_features(rows.features)):
        yield json.dumps({"label": labels[position], **features} if labels else features)


def describe_features(features: Array | SparseRows) -> Iterator[dict[str, Any]]:
    """The features of each row as JSON."""
    if not isinstance(features, SparseRows):
        yield from ({"features": row} for row in features.tolist())
        return
    for begin, end in pairwise(features.indptr.tolist()):
        keys, values = features.indices[begin:end].tolist(), features.data[begin:end].tolist()
        yield {"keys": keys, "values": values, "width": features.shape[1]}
