"""What has changed between two lists, to explain what has changed in the model."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path

from headrace.lst.engine import (
    Engine,
    Source,
    look_closer,
    open_engine,
    quote,
    refuse_bad_lines,
    require_class,
    require_index,
    scan,
    select_rows,
)
from headrace.lst.layouts import ONE_NUMBER, ListKind
from headrace.lst.rows import ListError


class Change(StrEnum):
    """What can have happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    RELABELLED = "relabelled"
    MOVED = "moved"
    RENUMBERED = "renumbered"


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """One row that differs; what it was before and is after, None where it did not exist or no longer exists.

    A row is relabelled when its path has another label, moved when its index and label stand at another path, and
    renumbered when only its index has changed.
    """

    change: Change
    index_before: int | None
    index_after: int | None
    label_before: str | None
    label_after: str | None
    path_before: str | None
    path_after: str | None


@dataclass(frozen=True, kw_only=True)
class ClassChange:
    """How many rows of one kind of change went from one label to another."""

    change: Change
    label_before: str | None
    label_after: str | None
    rows: int


class ListDiff:
    """The rows that differ between two lists; lives as long as the block of `diff_lists`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> dict[Change, int]:
        """How many rows have changed in each way."""
        found = dict(self._engine.fetch("FROM changes SELECT change, count(*) GROUP BY change"))
        return {change: found.get(change, 0) for change in Change}

    def count_by_class(self) -> list[ClassChange]:
        """How many rows have changed in each way from one label to another."""
        order = ", ".join(f"TRY_CAST({column} AS BIGINT), {column}" for column in ("label_before", "label_after"))
        rows = self._engine.fetch(
            f"FROM changes SELECT change, label_before, label_after, count(*) "
            f"GROUP BY change, label_before, label_after ORDER BY change, {order}"
        )
        return [
            ClassChange(change=Change(change), label_before=before, label_after=after, rows=count)
            for change, before, after, count in rows
        ]

    def read_rows(self, changes: Collection[Change] = tuple(Change)) -> Iterator[ChangedRow]:
        """The rows that have changed in one of these ways, by way and path."""
        names = [field.name for field in fields(ChangedRow)]
        query = (
            f"FROM changes SELECT {', '.join(names)} WHERE {_is_one_of(changes)} "
            "ORDER BY change, coalesce(path_after, path_before)"
        )
        for values in self._engine.stream(query):
            row = dict(zip(names, values, strict=True))
            yield ChangedRow(**{**row, "change": Change(row["change"])})

    def write_lst(self, path: Path, changes: Collection[Change]) -> None:
        """Write a list of the rows as they are after the change; of rows removed, as they were.

        Raises:
            ListError: rows that were removed are wanted together with others, whose indices may be the same.
        """
        side = "before" if set(changes) == {Change.REMOVED} else "after"
        if side == "after" and Change.REMOVED in changes:
            raise ListError("a list holds rows that were removed or rows that are there, not both; write two lists")
        self._engine.write_whole(
            f"FROM changes SELECT index_{side} AS number, label_{side} AS label, path_{side} AS path "
            f"WHERE {_is_one_of(changes)} ORDER BY number",
            path,
        )


@contextmanager
def diff_lists(before: Path, after: Path, *, kind: ListKind | None = None) -> Iterator[ListDiff]:
    """Compare two lists by their paths.

    Rows are checked where they differ; `check_list` checks the others.

    Args:
        before: The one list.
        after: The other.
        kind: What the labels of both are; without it, what the rows look like.
    """
    with open_engine() as engine:
        sources = engine.find_source(before).as_kind(kind), engine.find_source(after).as_kind(kind)
        if not _find_plainly(engine, *sources):
            _find_closely(engine, *sources)
        _refuse_doubles(engine, before, after)
        yield ListDiff(engine)


def _find_plainly(engine: Engine, before: Source, after: Source) -> bool:
    """Compare at full speed; False where the files need a closer look."""
    import duckdb

    if before.layout != after.layout or before.layout.varies:
        return False
    try:
        _find_changes(engine, *(engine.leave_out_common(before, after) or (before, after)))
    except duckdb.Error:
        return False
    return True


def _find_closely(engine: Engine, *sources: Source) -> None:
    before, after = map(look_closer, sources)
    if not before.layout.fits(after.layout):
        raise ListError(
            f"{before.path} has {before.layout} and {after.path} has {after.layout}; compare lists of a kind"
        )
    if before.layout != after.layout:
        before, after = replace(before, layout=ONE_NUMBER), replace(after, layout=ONE_NUMBER)
    for source in (before, after):
        refuse_bad_lines(source.path, source.layout)
    _find_changes(engine, engine.rewrite(before), engine.rewrite(after))


def _find_changes(engine: Engine, before: Source, after: Source) -> None:
    engine.connection.execute(_DIFFERING.format(before=_select_text(before), after=_select_text(after)))
    numbers = [f"{_unless_null(name, require_index)} AS {name}" for name in ("index_before", "index_after")]
    # Labels of other kinds are well formed already, see `_select_text`.
    check_label = require_class if before.layout.kind is ListKind.CLASS else str
    labels = [f"{_unless_null(name, check_label)} AS {name}" for name in ("label_before", "label_after")]
    engine.connection.execute(_PARSED.format(columns=", ".join([*numbers, *labels])))
    engine.connection.execute(_CHANGES)


def _select_text(source: Source) -> str:
    """The columns of a list as they are written: whether a row is well formed is asked only where it differs."""
    if source.layout.kind is ListKind.CLASS and not source.packed:
        return f"(FROM {scan(source)} SELECT number, label0 AS label, path)"
    return f"(FROM ({select_rows(source)}) SELECT number::VARCHAR AS number, label, path)"


_DIFFERING = """
    CREATE OR REPLACE TABLE differing AS
    FROM {before} b FULL JOIN {after} a ON b.path = a.path
    SELECT b.number AS index_before, a.number AS index_after, b.label AS label_before, a.label AS label_after,
           b.path AS path_before, a.path AS path_after
    WHERE b.number IS DISTINCT FROM a.number OR b.label IS DISTINCT FROM a.label
"""
_PARSED = """
    CREATE OR REPLACE TABLE parsed AS
    FROM differing SELECT {columns}, path_before, path_after,
    CASE WHEN trim(coalesce(path_after, path_before)) <> '' THEN true ELSE error('no path') END AS has_path
"""
_CHANGES = """
    CREATE OR REPLACE TABLE changes AS
    WITH moved AS (
        FROM parsed g JOIN parsed c ON g.index_before = c.index_after AND g.label_before = c.label_after
        SELECT g.index_before, c.index_after, g.label_before, c.label_after, g.path_before, c.path_after
        WHERE g.path_after IS NULL AND c.path_before IS NULL
    ),
    others AS (
        FROM parsed
        SELECT index_before, index_after, label_before, label_after, path_before, path_after
        WHERE (index_before IS DISTINCT FROM index_after OR label_before IS DISTINCT FROM label_after)
          AND NOT (path_after IS NULL AND path_before IN (FROM moved SELECT path_before))
          AND NOT (path_before IS NULL AND path_after IN (FROM moved SELECT path_after))
    )
    FROM moved SELECT 'moved' AS change, *
    UNION ALL
    FROM others SELECT CASE WHEN path_before IS NULL THEN 'added' WHEN path_after IS NULL THEN 'removed'
                            WHEN label_before <> label_after THEN 'relabelled' ELSE 'renumbered' END, *
"""


def _unless_null(column: str, expression: Callable[[str], str]) -> str:
    return f"CASE WHEN {column} IS NOT NULL THEN {expression(column)} END"


def _is_one_of(changes: Collection[Change]) -> str:
    return f"change IN ({', '.join(quote(change) for change in changes)})" if changes else "false"


def _refuse_doubles(engine: Engine, before: Path, after: Path) -> None:
    for side, path in (("before", before), ("after", after)):
        doubles = engine.fetch(
            f"FROM changes SELECT path_{side} WHERE path_{side} IS NOT NULL "
            f"GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"
        )
        if doubles:
            raise ListError(f"{path} has {doubles[0][0]} more than once; see `headrace lst check {path}`")
