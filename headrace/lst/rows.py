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

from headrace import inputs
from headrace.errors import HeadraceError
from headrace.files import whole_file
from headrace.lst.layouts import (
    CLASS,
    ONE_CLASS,
    ONE_NUMBER,
    PLAIN_NUMBER,
    SHORTEST_HEADER,
    Layout,
    ListKind,
    find_label_problems,
    guess_layout,
    is_fraction,
)
from headrace.lst.problems import Problem, RowProblem

# The records of a `.rec` file hold indices of 64 bits.
HIGHEST_INDEX = (1 << 64) - 1
INDEX_PATTERN = "[0-9]{1,20}"
_INDEX = re.compile(INDEX_PATTERN)
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
    return _read_labels(path, None)


def read_any_lst(path: Path) -> list[MultiLabelRow]:
    """The rows of a list of any kind: classes, numbers, several labels or boxes (`headrace.lst.layouts`)."""
    with inputs.naming_text(path, ListError), inputs.rereadable(path):
        return _read_labels(path, find_layout(path))


def _read_labels(path: Path, layout: Layout | None) -> list[MultiLabelRow]:
    numbered = []
    for number, line in read_lines(path):
        fields = line.split("\t")
        layout = layout or _count_columns(fields)
        problems = find_line_problems(fields, layout)
        if problems:
            raise ListError(f"{path}, line {number}: {problems[0]}")
        labels = tuple(float(label) for label in fields[1:-1])
        numbered.append((number, MultiLabelRow(int(fields[0]), labels, fields[-1])))
    check_indices(path, numbered)
    return [row for _, row in numbered]


def _count_columns(fields: Sequence[str]) -> Layout:
    width = len(fields) - 2
    return ONE_CLASS if width == 1 else Layout(ListKind.LABELS, width)


def find_layout(path: Path) -> Layout:
    """What the labels of a list are, as its rows say.

    One column holds numbers to predict where a tenth of all rows have a fraction, the first one or two of them: a
    fraction among many classes is a mistake.
    """
    first = next((line for _, line in read_tolerantly(path) if line), "0\t0\tempty")
    layout = guess_layout(first.split("\t"))
    if layout.kind not in {ListKind.CLASS, ListKind.NUMBER}:
        return layout
    return ONE_NUMBER if _has_fractions(path, least=1 if layout == ONE_NUMBER else 2) else ONE_CLASS


def _has_fractions(path: Path, least: int) -> bool:
    rows = fractions = 0
    for _, line in read_tolerantly(path):
        rows += 1
        fractions += any(map(is_fraction, (line or "").split("\t")[1:2]))
    return fractions >= least and fractions * 10 >= rows


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a list that are not blank, with their numbers and without their ends."""
    for number, line in read_tolerantly(path):
        if line is None:
            raise ListError(f"{path}, line {number}: {NOT_UTF8}")
        yield number, line


def read_raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """All lines of a file with their numbers, without their ends."""
    with inputs.naming_text(path, ListError), inputs.open_input(path) as file:
        for number, line in enumerate(inputs.read_lines(file), start=1):
            yield number, line.removesuffix(b"\n").removesuffix(b"\r")


def parse_row(path: Path, number: int, line: str) -> ListRow:
    """The row on one line of the file at `path`."""
    fields = line.split("\t")
    problems = find_line_problems(fields, ONE_CLASS)
    if problems:
        raise ListError(f"{path}, line {number}: {problems[0]}")
    return make_row(fields)


def make_row(fields: Sequence[str]) -> ListRow:
    """The row of fields with which nothing is wrong."""
    return ListRow(int(fields[0]), int(fields[1].strip().partition(".")[0]), fields[2])


def find_line_problems(fields: Sequence[str], layout: Layout) -> list[RowProblem]:
    """What is wrong with the fields of one line of a list of this layout."""
    if not _fits(fields, layout):
        columns = _describe_columns(layout)
        text = f"expected an index, {columns} and a path with tabs between them, found {len(fields)} fields"
        return [RowProblem("fields", text)]
    problems = []
    index = fields[0].strip()
    if not _INDEX.fullmatch(index):
        problems.append(RowProblem("index", f"index {fields[0]!r} is not a whole number"))
    elif int(index) > HIGHEST_INDEX:
        problems.append(RowProblem("index", f"index {index} is above {HIGHEST_INDEX}, the highest of 64 bits"))
    problems += [RowProblem("label", text) for text in find_label_problems(fields[1:-1], layout)]
    if not fields[-1].strip():
        problems.append(RowProblem("path", "the path is empty"))
    return problems


def _fits(fields: Sequence[str], layout: Layout) -> bool:
    if layout.varies:
        return len(fields) >= SHORTEST_HEADER + 2
    return len(fields) == layout.width + 2 and layout.width > 0


def _describe_columns(layout: Layout) -> str:
    if layout.varies:
        return "a header and boxes"
    if layout.kind is ListKind.NUMBER:
        return "a number"
    return "a class" if layout.width <= 1 else f"{layout.width} labels"


def format_labels(labels: Sequence[str]) -> str:
    """Label columns in their shortest form, so that those that mean the same are equal: 1.000000 is 1."""
    if len(labels) == 1 and CLASS.fullmatch(labels[0].strip()):
        return str(int(labels[0].strip().partition(".")[0]))
    return "\t".join(format_number(label.strip()) for label in labels)


def format_number(text: str) -> str:
    """A number in its shortest decimal form: without an exponent, and without zeros at its end.

    Example:
        >>> format_number("0.50"), format_number("1e-05")
        ('0.5', '0.00001')
    """
    if not PLAIN_NUMBER.fullmatch(text):
        text = format(Decimal(text), "f")
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
        if not _is_writable(row):
            raise ListError(
                f"{path}, line {line}: {row} has a negative number, something that is not a label, or a path that is "
                "empty or holds a tab"
            )
    text = "".join(f"{row.index}\t{row.label_text}\t{row.path}\n" for _, row in numbered)
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def _is_writable(row: Row) -> bool:
    pattern = CLASS if isinstance(row, ListRow) else PLAIN_NUMBER
    labels = row.label_text.split("\t")
    path = row.path.strip() and not _UNWRITABLE.search(row.path)
    return 0 <= row.index <= HIGHEST_INDEX and all(map(pattern.fullmatch, labels)) and bool(path)


def find_bad_lines(path: Path, layout: Layout) -> Iterator[Problem]:
    """Everything that is wrong with single lines of a list of this layout."""
    for number, line in read_tolerantly(path):
        found = [NOT_UTF8] if line is None else find_line_problems(line.split("\t"), layout)
        yield from (Problem(number, str(problem)) for problem in found)


def read_good_lines(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The fields of every line with which nothing is wrong, and its number."""
    for number, line in read_tolerantly(path):
        if line is not None and not find_line_problems(fields := line.split("\t"), layout):
            yield number, fields


def read_tolerantly(path: Path) -> Iterator[tuple[int, str | None]]:
    """The lines that are not blank, with their numbers and without their ends; None for one that is not UTF-8."""
    for number, raw in read_raw_lines(path):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, None
            continue
        if line.strip():
            yield number, line
