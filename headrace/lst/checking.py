"""Checks of a list against what training needs; all problems, not the first."""

from collections.abc import Iterator
from pathlib import Path

from headrace.lst.engine import Engine, open_engine
from headrace.lst.problems import Problem
from headrace.lst.rows import ListError, describe_shared_index, find_bad_lines

_SHARED = """
    FROM (FROM rows SELECT line, {column} AS shared, min(line) OVER (PARTITION BY {column}) AS first
          QUALIFY count(*) OVER (PARTITION BY {column}) > 1)
    SELECT line, shared, first WHERE line > first ORDER BY line
"""
_DISPUTED = """
    FROM (FROM rows SELECT {column} AS shared GROUP BY ALL HAVING count(*) > 1)
    SELECT count(*)
"""


def check_list(path: Path, folder: Path | None = None, *, several_labels: bool = False) -> list[Problem]:
    """Everything that is wrong with a list, in the order of its lines.

    Args:
        path: The list.
        folder: Where its images are; each must be there.
        several_labels: Whether more than one label column is meant; without it, a class is expected.
    """
    with open_engine() as engine:
        source = engine.find_source(path)
        width = source.width if several_labels else 1
        bad_lines: list[Problem] = []
        if source.width != width or not engine.load_plain("rows", source):
            bad_lines = list(find_bad_lines(path, width))
            engine.load_good_lines("rows", source, width)
        problems = [*bad_lines, *_find_shared(engine), *_find_class_gaps(engine, width)]
        problems += _find_missing(engine, folder) if folder else ()
        if not bad_lines and not engine.fetch_number("FROM rows SELECT count(*)"):
            problems.append(Problem(None, "the list has no rows"))
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))


def _find_shared(engine: Engine) -> Iterator[Problem]:
    """Indices and paths that an earlier line has; the dear query only where the cheap one finds some."""
    if engine.fetch_number(_DISPUTED.format(column="number")):
        for line, index, first in engine.stream(_SHARED.format(column="number")):
            yield Problem(line, describe_shared_index(index, first))
    if engine.fetch_number(_DISPUTED.format(column="path")):
        for line, path, first in engine.stream(_SHARED.format(column="path")):
            yield Problem(line, f"{path} is on line {first}, too; list each image once")


def _find_class_gaps(engine: Engine, width: int) -> Iterator[Problem]:
    if width == 1:
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
        if not (folder / path).is_file():
            yield Problem(line, f"{path} is not in {folder}")
