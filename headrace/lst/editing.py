"""Lists made of other lists: split, merged, relabelled, with rows added, removed and replaced.

Each writes its outputs whole or not at all, keeps the order of its input and holds no list in Python's memory.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from headrace.files import whole_files
from headrace.lst.engine import Engine, open_engine, quote
from headrace.lst.hashing import limit_hash, salt
from headrace.lst.layouts import ONE_CLASS, ONE_NUMBER, ListKind
from headrace.lst.making import DEFAULT_VALIDATION_RATIO, check_ratio
from headrace.lst.rows import ListError

SHOWN_ROWS = 3


class Key(StrEnum):
    """What a row is known by."""

    INDEX = "index"
    PATH = "path"


def hash_sql(text: str) -> str:
    """`hash_path` of a text, as SQL."""
    return f"(('0x' || substr(sha256({text}), 1, 14))::BIGINT >> 3)"


def split_list(
    path: Path,
    train: Path,
    validation: Path,
    *,
    ratio: float = DEFAULT_VALIDATION_RATIO,
    seed: int = 0,
    group_by: str | None = None,
    stratified: bool = False,
) -> None:
    """Divide a list by a hash of each path; a class of two or more is in either part.

    Args:
        path: The list.
        train: Where the training rows go.
        validation: Where the rows that are held out go.
        ratio: The part that is held out.
        seed: Another seed divides another way; 0 divides as `make_lists` does.
        group_by: A regular expression (RE2): images for whose paths its first group, or all of it, matches the same
            text stay together; a path it does not match is on its own.
        stratified: Hold out the ratio of every class as nearly as can be; one more image may then move another.
    """
    check_ratio(ratio)
    with open_engine() as engine:
        layout = engine.load("rows", path)
        if stratified and layout.kind in {ListKind.NUMBER, ListKind.BOXES}:
            raise ListError(f"{path} has {layout.kind} for labels; only lists of classes can be stratified")
        by_label = stratified or layout.kind is ListKind.CLASS
        hold_out(engine, ratio=ratio, seed=seed, group_by=group_by, stratified=stratified, by_label=by_label)
        write_parts(engine, train, validation)


def hold_out(
    engine: Engine, *, ratio: float, seed: int, group_by: str | None, stratified: bool, by_label: bool = True
) -> None:
    """Make a table of the units of `rows` that are held out, and a view of which row is of which unit.

    Args:
        engine: Holds the rows.
        ratio: The part that is held out.
        seed: Another seed divides another way.
        group_by: A regular expression: paths in which it finds the same text are a unit.
        stratified: Hold out the ratio of every label as nearly as can be.
        by_label: Whether to hold out something of every label; labels that are not classes are hardly ever the same.
    """
    unit = _name_unit(engine, group_by) if group_by else "path"
    chosen = "upto - size / 2.0 <= $ratio * total" if stratified else "place < $limit"
    parameters = {"ratio": ratio} if stratified else {"limit": limit_hash(ratio)}
    engine.connection.execute(f"CREATE VIEW units AS FROM rows SELECT *, {unit} AS unit")
    engine.connection.execute(
        _HELD_OUT.format(
            hash=hash_sql(f"{quote(salt(seed))} || unit"), chosen=chosen, label="min(label)" if by_label else "''"
        ),
        parameters,
    )


_HELD_OUT = """
    CREATE TABLE held_out AS
    WITH sized AS (FROM units SELECT unit, {label} AS label, count(*) AS size GROUP BY unit),
    placed AS (FROM sized SELECT *, {hash} AS place),
    ranked AS (
        FROM placed
        SELECT unit, size, place, row_number() OVER by_place AS rank, sum(size) OVER by_place AS upto,
               count(*) OVER of_class AS units, sum(size) OVER of_class AS total
        WINDOW by_place AS (PARTITION BY label ORDER BY place, unit), of_class AS (PARTITION BY label)
    )
    FROM ranked SELECT unit WHERE rank < units AND (rank = 1 OR {chosen})
"""


def write_parts(engine: Engine, train: Path, validation: Path, order: str = "line") -> None:
    """Write the rows that are not held out and those that are."""
    with whole_files(train, validation) as partials:
        for partial, condition in zip(partials, ("NOT IN", "IN"), strict=True):
            engine.write(
                f"FROM units SELECT number, label, path WHERE unit {condition} (FROM held_out) ORDER BY {order}",
                partial,
            )


def merge_lists(paths: Sequence[Path], output: Path, *, renumber: bool = False) -> None:
    """Write the rows of several lists one after the other; a row that is in more than one of them, once.

    Args:
        paths: The lists, all with as many label columns.
        output: Where the list goes.
        renumber: Give every row the hash of its path as index, as `make_lists` does.

    Raises:
        ListError: lists disagree on the label of a path, or on the path of an index.
    """
    with open_engine() as engine:
        _load_all(engine, paths)
        _refuse(
            engine,
            "FROM every SELECT path GROUP BY path HAVING count(DISTINCT label) > 1 ORDER BY path",
            "has different labels in these lists; relabel or remove it in one of them",
        )
        number = hash_sql("path") if renumber else "arg_min(number, (list, line))"
        engine.connection.execute(
            f"CREATE TABLE merged AS FROM every SELECT {number} AS number, min(label) AS label, path, "
            "min((list, line)) AS place GROUP BY path"
        )
        _refuse_shared_indices(engine, "merged")
        engine.write_whole("FROM merged SELECT number, label, path ORDER BY place", output)


def relabel_classes(path: Path, output: Path, mapping: Mapping[int, int]) -> None:
    """Write a list with other class numbers: two that become one are merged.

    Raises:
        ListError: a class to relabel has no row, or the list has several labels.
    """
    with open_engine() as engine:
        layout = engine.load("rows", path)
        if layout != ONE_CLASS:
            labels = "several labels" if layout.kind is ListKind.LABELS else layout
            raise ListError(f"{path} has {labels}; only lists of one class per image can be relabelled by class")
        engine.connection.execute("CREATE TABLE renamed (old VARCHAR, new VARCHAR)")
        engine.connection.executemany(
            "INSERT INTO renamed VALUES (?, ?)", [(str(old), str(new)) for old, new in mapping.items()]
        )
        _refuse(
            engine,
            "FROM renamed SELECT old WHERE old NOT IN (FROM rows SELECT label) ORDER BY old",
            f"is no class of {path}",
        )
        engine.write_whole(
            "FROM rows LEFT JOIN renamed ON label = old SELECT number, coalesce(new, label) AS label, path "
            "ORDER BY line",
            output,
        )


def add_rows(path: Path, additions: Path, output: Path) -> None:
    """Write a list with the rows of another after its own.

    Raises:
        ListError: an index or a path is in both.
    """
    with open_engine() as engine:
        _load_all(engine, [path, additions])
        _refuse(
            engine,
            "FROM every SELECT path GROUP BY path HAVING count(*) > 1 ORDER BY path",
            "is in the list already; use `headrace lst replace` to change its row",
        )
        _refuse_shared_indices(engine, "every")
        engine.write_whole("FROM every SELECT number, label, path ORDER BY list, line", output)


def remove_rows(path: Path, paths: Iterable[str], output: Path) -> None:
    """Write a list without the rows of some paths.

    Raises:
        ListError: a path to remove is not in the list.
    """
    with open_engine() as engine:
        engine.load("rows", path)
        names = engine.scratch / "removed.lst"
        engine.write_scratch(names, (f"0\t0\t{name}\n" for name in paths))
        engine.load("removed", names)
        _refuse(
            engine,
            "FROM removed SELECT path WHERE path NOT IN (FROM rows SELECT path) ORDER BY line",
            f"is not in {path}",
        )
        engine.write_whole(
            "FROM rows SELECT number, label, path WHERE path NOT IN (FROM removed SELECT path) ORDER BY line", output
        )


def replace_rows(path: Path, replacements: Path, output: Path, *, key: Key = Key.PATH) -> None:
    """Write a list with rows of another in place of its own, where they stand.

    Args:
        path: The list.
        replacements: The new rows.
        output: Where the list goes.
        key: Rows of the same path get another label and index; those of the same index another path and label.

    Raises:
        ListError: there is no row to replace, or an index or a path would be there twice.
    """
    column = "path" if key is Key.PATH else "number"
    with open_engine() as engine:
        _load_all(engine, [path, replacements])
        _refuse(
            engine,
            f"FROM rows1 SELECT {column} WHERE {column} NOT IN (FROM rows0 SELECT {column}) ORDER BY line",
            f"is no {key} of {path}; use `headrace lst add` for new rows",
        )
        _refuse(
            engine,
            f"FROM rows1 SELECT {column} GROUP BY {column} HAVING count(*) > 1 ORDER BY {column}",
            f"is more than once in {replacements}",
        )
        engine.connection.execute(
            f"CREATE TABLE replaced AS FROM rows0 old LEFT JOIN rows1 new ON old.{column} = new.{column} "
            "SELECT old.line, coalesce(new.number, old.number) AS number, coalesce(new.label, old.label) AS label, "
            "coalesce(new.path, old.path) AS path"
        )
        _refuse_shared_indices(engine, "replaced")
        _refuse(
            engine,
            "FROM replaced SELECT path GROUP BY path HAVING count(*) > 1 ORDER BY path",
            "would be in the list twice",
        )
        engine.write_whole("FROM replaced SELECT number, label, path ORDER BY line", output)


def _name_unit(engine: Engine, pattern: str) -> str:
    """The SQL for what keeps images together."""
    import duckdb

    try:
        group = min(re.compile(pattern).groups, 1)
        matched = f"regexp_extract(path, {quote(pattern)}, {group})"
        engine.fetch(f"FROM (VALUES ('')) AS tried(path) SELECT {matched}")
    except (re.error, duckdb.Error) as error:
        raise ListError(f"{pattern!r} is no regular expression to group by: {error}") from error
    return f"CASE WHEN {matched} <> '' THEN {matched} ELSE path END"


def _load_all(engine: Engine, paths: Sequence[Path]) -> None:
    """Load lists as rows0, rows1, …, and a view `every` of all their rows."""
    sources = [engine.find_source(path) for path in paths]
    if any(source.layout == ONE_NUMBER for source in sources):
        # In a few rows of numbers, the first may look like a class.
        sources = [replace(source, layout=ONE_NUMBER) if source.layout == ONE_CLASS else source for source in sources]
    layouts = [engine.load_source(f"rows{number}", source) for number, source in enumerate(sources)]
    if not all(layout.fits(layouts[0]) for layout in layouts):
        told = ", ".join(
            f"{path} has {'boxes' if layout.varies else layout.width}"
            for path, layout in zip(paths, layouts, strict=True)
        )
        raise ListError(f"lists differ in their number of label columns: {told}")
    union = " UNION ALL ".join(f"FROM rows{number} SELECT {number} AS list, *" for number in range(len(paths)))
    engine.connection.execute(f"CREATE VIEW every AS {union}")


def _refuse_shared_indices(engine: Engine, table: str) -> None:
    shared = engine.fetch(
        f"FROM {table} SELECT number, min(path), max(path) GROUP BY number HAVING count(*) > 1 "
        f"ORDER BY number LIMIT {SHOWN_ROWS}"
    )
    if shared:
        told = "\n".join(f"index {number} is that of {first} and of {last}" for number, first, last in shared)
        raise ListError(f"{told}\nindices are unique; `headrace lst merge --renumber` gives every row one of its own")


def _refuse(engine: Engine, query: str, reason: str) -> None:
    """Refuse what a query finds, naming the first few."""
    found = [value for (value,) in engine.fetch(f"{query} LIMIT {SHOWN_ROWS + 1}")]
    if found:
        more = "\nand there are more" if len(found) > SHOWN_ROWS else ""
        raise ListError("\n".join(f"{value} {reason}" for value in found[:SHOWN_ROWS]) + more)
