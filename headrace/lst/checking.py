"""Checks of a list against what training needs; all problems, not the first."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headrace.lst.engine import Engine, Source, open_engine, quote
from headrace.lst.layouts import ONE_CLASS, ONE_NUMBER, Layout, ListKind, find_box_problems
from headrace.lst.paths import STRAY_PATTERN, find_stray, leaves_folder
from headrace.lst.problems import Problem
from headrace.lst.rows import ListError, describe_shared_index, find_bad_lines, find_layout

_SHARED = """
    FROM (FROM rows
          SELECT line, label, {column} AS shared, min(line) OVER of_one AS first,
                 arg_min(label, line) OVER of_one AS other
          WINDOW of_one AS (PARTITION BY {column})
          QUALIFY count(*) OVER of_one > 1)
    SELECT line, shared, first, label, other WHERE line > first ORDER BY line
"""
_DISPUTED = """
    FROM (FROM rows SELECT {column} AS shared GROUP BY ALL HAVING count(*) > 1)
    SELECT count(*)
"""


def check_list(
    path: Path, folder: Path | None = None, *, several_labels: bool = False, kind: ListKind | None = None
) -> list[Problem]:
    """Everything that is wrong with a list, in the order of its lines.

    Args:
        path: The list.
        folder: Where its images are; each must be there.
        several_labels: Whether more than one label column is meant.
        kind: What the labels are meant to be; without it, boxes or numbers to predict where the rows are such, else a
            class.
    """
    with open_engine() as engine:
        layout, bad_lines = _load(engine, engine.find_source(path), ListKind.LABELS if several_labels else kind)
        problems = [*bad_lines, *_find_shared(engine), *_find_strays(engine), *_find_label_problems(engine, layout)]
        problems += _find_missing(engine, folder) if folder else ()
        if not bad_lines and not engine.fetch_number("FROM rows SELECT count(*)"):
            problems.append(Problem(None, "the list has no rows"))
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))


def _load(engine: Engine, source: Source, kind: ListKind | None) -> tuple[Layout, list[Problem]]:
    """Load what is well formed; what the labels are, and what is wrong with the other lines."""
    layout = _choose_layout(source, kind)
    if kind is None and layout == ONE_NUMBER:
        layout = find_layout(source.path)
    if layout == source.layout and engine.load_plain("rows", source):
        return layout, []
    if kind is None and layout == ONE_CLASS and find_layout(source.path) == ONE_NUMBER:
        layout = ONE_NUMBER
    engine.load_good_lines("rows", replace(source, layout=layout))
    return layout, list(find_bad_lines(source.path, layout))


def _choose_layout(source: Source, kind: ListKind | None) -> Layout:
    """What is meant, or else what the first row says: several labels only where somebody means them."""
    layout = source.as_kind(kind).layout
    return ONE_CLASS if kind is None and layout.kind is ListKind.LABELS else layout


def _find_shared(engine: Engine) -> Iterator[Problem]:
    """Indices and paths that an earlier line has; the expensive query runs only if the cheap one finds some."""
    if engine.fetch_number(_DISPUTED.format(column="number")):
        for line, index, first, *_ in engine.stream(_SHARED.format(column="number")):
            yield Problem(line, describe_shared_index(index, first))
    if engine.fetch_number(_DISPUTED.format(column="path")):
        for line, path, first, label, other in engine.stream(_SHARED.format(column="path")):
            yield Problem(line, _describe_double(path, first, label, other))


def _describe_double(path: str, first: int, label: str, other: str) -> str:
    if label == other:
        return f"{path} is on line {first}, too; list each image once"
    shown = f"{other} there, {label} here".replace("\t", " ")
    return f"{path} is on line {first}, too, with another label ({shown}); keep the right one"


def _find_strays(engine: Engine) -> Iterator[Problem]:
    """Paths that do not lead below the channel."""
    matches = f"regexp_matches(path, {quote(STRAY_PATTERN)})"
    for line, path in engine.stream(f"FROM rows SELECT line, path WHERE {matches} ORDER BY line"):
        yield Problem(line, f"{path} {find_stray(path)}")


def _find_label_problems(engine: Engine, layout: Layout) -> Iterator[Problem]:
    if layout.kind is ListKind.CLASS:
        yield from _find_class_gaps(engine)
    elif layout.kind is ListKind.BOXES:
        for line, label in engine.stream("FROM rows SELECT line, label ORDER BY line"):
            yield from (Problem(line, text) for text in find_box_problems(label.split("\t")))


def _find_class_gaps(engine: Engine) -> Iterator[Problem]:
    labels = [label for (label,) in engine.fetch("FROM rows SELECT DISTINCT label::BIGINT AS l ORDER BY l")]
    missing = find_gaps(labels)
    if missing:
        yield Problem(
            None,
            f"classes are 0 to {labels[-1]}, but {missing} has no image; number them without gaps "
            "(`headrace lst relabel`)",
        )


def find_gaps(labels: list[int]) -> str:
    """The numbers from 0 that are missing among sorted labels, in runs."""
    runs = []
    expected = 0
    for label in labels:
        if label > expected:
            runs.append(str(expected) if label == expected + 1 else f"{expected} to {label - 1}")
        expected = label + 1
    return ", ".join(runs)


def _find_missing(engine: Engine, folder: Path) -> Iterator[Problem]:
    if not folder.is_dir():
        raise ListError(f"{folder}: no such folder; give the one that the list's paths start in")
    for line, path in engine.stream("FROM rows SELECT line, path ORDER BY line"):
        if not find_stray(path) and (problem := _find_file_problem(path, folder)):
            yield Problem(line, problem)


def _find_file_problem(path: str, folder: Path) -> str | None:
    file = folder / path
    try:
        status = file.stat()
    except OSError as error:
        return f"{path} is not in {folder}" if isinstance(error, FileNotFoundError) else f"{path}: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not in {folder}"
    if not status.st_size:
        return f"{path} is empty; copy the image again or remove its row"
    return f"{path} is a link that leads out of {folder}" if leaves_folder(file, folder) else None
