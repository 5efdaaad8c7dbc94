"""The training and the validation list, checked together; `headrace.lst.rows` describes their format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Final

from containers.shared.job.training_failures import TrainingDataError
from headrace.lst.layouts import ONE_CLASS
from headrace.lst.paths import find_stray
from headrace.lst.rows import NOT_UTF8, describe_shared_index, find_line_problems, make_row, read_tolerantly

from . import contract
from .channels import find_list, read_text
from .recording import RecordedPhotographs

NAMED_LINES = 5


@dataclass(frozen=True)
class Row:
    """One photograph of a list: the line it stands on, its index, its class and its path below the channel."""

    line: int
    index: int
    number: int
    path: str


@dataclass(frozen=True)
class PhotographList:
    """The rows of one list, where it is and where its photographs come from."""

    path: Path
    name: str
    photographs: RecordedPhotographs
    rows: Sequence[Row]


class ProblemKind(StrEnum):
    """What can be wrong with a row; only the first of each kind is reported in full."""

    FIELDS = "fields"
    INDEX = "index"
    CLASS = "label"
    PATH = "path"
    IMAGE = "image"
    UNTRAINED = "untrained"


_CLASS_ADVICE: Final = "number the classes from 0, without gaps"
_ADVICE: Final = {
    ProblemKind.INDEX: "give every row its own whole number",
    ProblemKind.CLASS: _CLASS_ADVICE,
    ProblemKind.PATH: "write paths relative to the channel of the photographs",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, what to do about it, and the line it is on."""

    kind: ProblemKind
    line: int
    text: str


def read_lists(
    train: tuple[Path, RecordedPhotographs], validation: tuple[Path, RecordedPhotographs]
) -> tuple[PhotographList, PhotographList]:
    """The training and the validation list, each from its folder and with its photographs, once both are right."""
    (train_list, train_problems), (validation_list, validation_problems) = (
        read_list(*places) for places in (train, validation)
    )
    reports = [*describe_problems(train_list.name, train_problems)]
    reports += describe_problems(validation_list.name, validation_problems)
    # Classes of lists that cannot be read would be a second complaint about the same mistake.
    reports = reports or find_class_problems(train_list, validation_list)
    if reports:
        raise TrainingDataError("\n".join(reports))
    return train_list, validation_list


def read_list(folder: Path, photographs: RecordedPhotographs) -> tuple[PhotographList, list[Problem]]:
    """The rows of the folder's list that can be used, and what is wrong with the others."""
    path = find_list(folder)
    name = f"channel {folder.name!r}, {path.name}"
    found = list(parse_list(path, name))
    if not found:
        raise TrainingDataError(f"{name}: the list is empty; check the step that wrote it")
    rows = [item for item in found if isinstance(item, Row)]
    problems = [item for item in found if isinstance(item, Problem)]
    problems += find_repeated_indices(rows)
    problems += find_missing_photographs(rows, photographs)
    return PhotographList(path, name, photographs, rows), problems


def parse_list(path: Path, name: str) -> Iterator[Row | Problem]:
    """Each row of the list, or what is wrong with it; blank lines are none."""
    for number, line in read_tolerantly(path):
        if line is None:
            raise TrainingDataError(f"{name}, line {number}: {NOT_UTF8}")
        yield parse_row(number, line.split("\t"))


def parse_row(line: int, fields: Sequence[str]) -> Row | Problem:
    """The row of these fields, or what is wrong with it."""
    for problem in find_line_problems(fields, ONE_CLASS):
        kind = ProblemKind(problem.part)
        return Problem(kind, line, "; ".join(filter(None, (problem.text, _ADVICE.get(kind)))))
    row = make_row(fields)
    if stray := find_stray(row.path):
        return Problem(ProblemKind.PATH, line, f"path {row.path!r} {stray}")
    return Row(line, row.index, row.label, row.path)


def find_repeated_indices(rows: Sequence[Row]) -> Iterator[Problem]:
    """Rows whose index a row before them has."""
    lines: dict[int, int] = {}
    for row in rows:
        first = lines.setdefault(row.index, row.line)
        if first != row.line:
            yield Problem(ProblemKind.INDEX, row.line, describe_shared_index(row.index, first))


def find_missing_photographs(rows: Sequence[Row], photographs: RecordedPhotographs) -> Iterator[Problem]:
    """Rows whose photograph is not there."""
    for row in rows:
        if photographs.lacks(row.path):
            text = (
                f"{photographs.name} has no photograph {row.path!r}; "
                "check the path, and the prefix or folder of the channel"
            )
            yield Problem(ProblemKind.IMAGE, row.line, text)


def find_class_problems(train: PhotographList, validation: PhotographList) -> list[str]:
    """What is wrong with the classes of both lists together."""
    trained = {row.number for row in train.rows}
    known = trained | {row.number for row in validation.rows}
    gap = next(number for number in count() if number not in known)
    if gap < len(known):
        return [f"no row is of class {gap}, but some are of class {max(known)}; {_CLASS_ADVICE}"]
    if len(known) == 1:
        return [f"{train.name}: all rows are of class 0; a classifier needs at least two classes to tell apart"]
    return describe_problems(
        validation.name,
        [
            Problem(
                ProblemKind.UNTRAINED,
                row.line,
                f"the training list has no photograph of class {row.number}; "
                "add photographs of the class to the training list, or remove such rows",
            )
            for row in validation.rows
            if row.number not in trained
        ],
    )


def describe_problems(name: str, problems: Sequence[Problem]) -> list[str]:
    """One line for each kind of problem: the first of it, and where the others are."""
    reports = []
    for kind in ProblemKind:
        lines = [problem.line for problem in problems if problem.kind is kind]
        if lines:
            first = next(problem for problem in problems if problem.kind is kind)
            named = ", ".join(map(str, lines[:NAMED_LINES])) + (" …" if len(lines) > NAMED_LINES else "")
            others = f" ({len(lines)} such rows, on lines {named})" if len(lines) > 1 else ""
            reports.append(f"{name}, line {first.line}: {first.text}{others}")
    return reports


def read_labels(train: PhotographList, classes: int) -> tuple[str, ...]:
    """The names of the classes: those in the file beside the training list, or else their numbers."""
    path = train.path.with_name(contract.LABELS_FILE)
    if not path.is_file():
        return tuple(map(str, range(classes)))
    channel = contract.TRAIN_LIST_CHANNEL
    labels = tuple(line.strip() for line in read_text(path, channel).strip().splitlines())
    if len(labels) != classes or len(set(labels)) != classes or not all(labels):
        raise TrainingDataError(
            f"channel {channel!r}, {path.name}: {len(labels)} lines, {len(set(labels) - {''})} different names; "
            f"expected a different name for each of the {classes} classes, one a line, class 0 first"
        )
    return labels
