"""Lists: which image is of which class.

A list is a text file ending in `.lst` with one row per image: a unique index, the class counted from 0 and the image's
path below its channel, with tabs between them. A sample:

    0	0	accordion/image_0001.jpg
    1	1	bonsai/image_0007.jpg

A multi-label list has more label columns between index and path, as MXNet's im2rec writes them; for the built-in image
classification with `multi_label` that is one column of 0 or 1 for each class:

    7	1.000000	0.000000	1.000000	street/image_0007.jpg

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html and
https://mxnet.apache.org/versions/1.9.1/api/faq/recordio.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from headrace.errors import HeadraceError
from headrace.lst.output import whole_file
from headrace.lst.problems import Problem

# Whole numbers of 18 digits fit 64 bits.
INDEX_PATTERN = "[0-9]{1,18}"
# MXNet's im2rec writes classes as 1.000000.
CLASS_PATTERN = r"([0-9]{1,9})(\.0*)?"
NUMBER_PATTERN = r"-?[0-9]{1,15}(\.[0-9]*)?"
_INDEX = re.compile(INDEX_PATTERN)
_CLASS = re.compile(CLASS_PATTERN)
_NUMBER = re.compile(NUMBER_PATTERN)
NOT_UTF8 = "not UTF-8; save the file as UTF-8"
_UNWRITABLE = re.compile(r"[\t\r\n]")


class ListError(HeadraceError):
    """A list, or a folder to make lists of, that cannot be used; its message says where and why."""


@dataclass(frozen=True)
class ListRow:
    """One image of a list: its unique index, its class counted from 0 and its path below the channel."""

    index: int
    label: int
    path: str

    @property
    def label_text(self) -> str:
        """The class as it stands in the file."""
        return str(self.label)


@dataclass(frozen=True)
class MultiLabelRow:
    """One image of a multi-label list: as `ListRow`, with a number for each label column."""

    index: int
    labels: tuple[float, ...]
    path: str

    @property
    def label_text(self) -> str:
        """The labels as they stand in the file, shortest form, with tabs between them."""
        return "\t".join(format_number(format(Decimal(repr(float(label))), "f")) for label in self.labels)


class Row(Protocol):
    """A row of either kind of list."""

    @property
    def index(self) -> int:
        """The unique index."""

    @property
    def path(self) -> str:
        """The path below the channel."""

    @property
    def label_text(self) -> str:
        """The label columns as they stand in the file."""


def read_lst(path: Path) -> list[ListRow]:
    """The rows of a list, in its order; blank lines are none."""
    numbered = [(number, parse_row(path, number, line)) for number, line in read_lines(path)]
    check_indices(path, numbered)
    return [row for _, row in numbered]


def read_multi_label_lst(path: Path) -> list[MultiLabelRow]:
    """The rows of a list with any number of label columns, the same in every row."""
    numbered = []
    width = 0
    for number, line in read_lines(path):
        fields = line.split("\t")
        width = width or len(fields) - 2
        problems = find_line_problems(fields, width)
        if problems:
            raise ListError(f"{path}, line {number}: {problems[0]}")
        labels = tuple(float(label) for label in fields[1:-1])
        numbered.append((number, MultiLabelRow(int(fields[0]), labels, fields[-1])))
    check_indices(path, numbered)
    return [row for _, row in numbered]


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a list that are not blank, with their numbers and without their ends."""
    for number, line in _read_tolerantly(path):
        if line is None:
            raise ListError(f"{path}, line {number}: {NOT_UTF8}")
        yield number, line


def read_raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """All lines of a file with their numbers, without their ends."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise ListError(f"{path}: {error.strerror}") from error


def parse_row(path: Path, number: int, line: str) -> ListRow:
    """The row on one line of the file at `path`."""
    fields = line.split("\t")
    problems = find_line_problems(fields, width=1)
    if problems:
        raise ListError(f"{path}, line {number}: {problems[0]}")
    return ListRow(int(fields[0]), int(fields[1].strip().partition(".")[0]), fields[2])


def find_line_problems(fields: Sequence[str], width: int) -> list[str]:
    """What is wrong with the fields of one line of a list with so many label columns."""
    if len(fields) != width + 2 or width < 1:
        columns = "a class" if width <= 1 else f"{width} labels"
        return [f"expected an index, {columns} and a path with tabs between them, found {len(fields)} fields"]
    problems = []
    if not _INDEX.fullmatch(fields[0].strip()):
        problems.append(f"index {fields[0]!r} is not a whole number")
    if width == 1 and not _CLASS.fullmatch(fields[1].strip()):
        problems.append(f"class {fields[1]!r} is not a whole number from 0")
    if width > 1:
        problems += [
            f"label {label!r} is not a number" for label in fields[1:-1] if not _NUMBER.fullmatch(label.strip())
        ]
    if not fields[-1].strip():
        problems.append("the path is empty")
    return problems


def format_labels(labels: Sequence[str]) -> str:
    """Label columns in their shortest form, so that those that mean the same are equal: 1.000000 is 1."""
    if len(labels) == 1:
        return str(int(labels[0].strip().partition(".")[0]))
    return "\t".join(format_number(label.strip()) for label in labels)


def format_number(text: str) -> str:
    """A decimal number without zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_indices(path: Path, rows: Iterable[tuple[int, Row]]) -> None:
    """Refuse an index that two lines have."""
    lines: dict[int, int] = {}
    for line, row in rows:
        first = lines.setdefault(row.index, line)
        if first != line:
            raise ListError(f"{path}, line {line}: {describe_shared_index(row.index, first)}")


def describe_shared_index(index: int, first_line: int) -> str:
    """What is said of an index that an earlier line has."""
    return f"index {index} is that of line {first_line}, too; indices are unique"


def write_lst(path: Path, rows: Iterable[Row]) -> None:
    """Write a list; it appears whole or not at all."""
    numbered = list(enumerate(rows, start=1))
    check_indices(path, numbered)
    for line, row in numbered:
        if (
            row.index < 0
            or (isinstance(row, ListRow) and row.label < 0)
            or not row.path.strip()
            or _UNWRITABLE.search(row.path)
        ):
            raise ListError(f"{path}, line {line}: {row} has a negative number, or a path that is empty or holds a tab")
    text = "".join(f"{row.index}\t{row.label_text}\t{row.path}\n" for _, row in numbered)
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def find_bad_lines(path: Path, width: int) -> Iterator[Problem]:
    """Everything that is wrong with single lines of a list with so many label columns."""
    for number, line in _read_tolerantly(path):
        texts = [NOT_UTF8] if line is None else find_line_problems(line.split("\t"), width)
        yield from (Problem(number, text) for text in texts)


def read_good_lines(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    """The fields of every line with which nothing is wrong, and its number."""
    for number, line in _read_tolerantly(path):
        if line is not None and not find_line_problems(fields := line.split("\t"), width):
            yield number, fields


def _read_tolerantly(path: Path) -> Iterator[tuple[int, str | None]]:
    """The lines that are not blank; None for one that is not UTF-8."""
    for number, raw in read_raw_lines(path):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, None
            continue
        if line.strip():
            yield number, line
