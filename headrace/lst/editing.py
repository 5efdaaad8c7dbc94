"""Lists made of other lists: sampled, merged, relabelled, with rows added, removed and replaced.

Each writes its outputs whole or not at all, keeps the order of its input and holds no list in Python's memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from headrace.lst.engine import Engine, hash_sql, match_path, open_engine, quote
from headrace.lst.hashing import salt
from headrace.lst.layouts import ONE_CLASS, ONE_NUMBER, Layout, ListKind
from headrace.lst.rows import ListError

SHOWN_ROWS = 3


class Key(StrEnum):
    """What a row is known by."""

    INDEX = "index"
    PATH = "path"


def sample_classes(path: Path, output: Path, per_class: int, *, seed: int = 0) -> dict[int, int]:
    """Write a number of rows of each class, chosen by a hash of each path; the classes that have fewer, and how many.

    Args:
        path: The list.
        output: Where the list goes, in the order of the other.
        per_class: How many rows of each class; of one that has fewer, all.
        seed: Another seed chooses others.
    """
    with open_engine() as engine:
        _require_classes(path, engine.load("rows", path), "sampled")
        place = hash_sql(f"{quote(salt(seed))} || path")
        engine.connection.execute(
            f"CREATE VIEW ranked AS FROM rows SELECT *, row_number() OVER (PARTITION BY label ORDER BY {place}) AS rank"
        )
        engine.write_whole(f"FROM ranked SELECT number, label, path WHERE rank <= {per_class} ORDER BY line", output)
        fewer = engine.fetch(
            f"FROM rows SELECT label::BIGINT, count(*) GROUP BY label HAVING count(*) < {per_class} ORDER BY ALL"
        )
    return dict(fewer)


def _require_classes(path: Path, layout: Layout, done: str) -> None:
    if layout != ONE_CLASS:
        labels = "several labels" if layout.kind is ListKind.LABELS else f"{layout.kind} for labels"
        raise ListError(f"{path} has {labels}; only lists of one class per image can be {done} by class")


def merge_lists(paths: Sequence[Path], output: Path, *, renumber: bool = False, kind: ListKind | None = None) -> None:
    """Write the rows of several lists one after the other; a row that is in more than one of them, once.

    Args:
        paths: The lists, all with as many label columns.
        output: Where the list goes.
        renumber: Give every row the hash of its path as index, as `make_lists` does.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: lists disagree on the label of a path, or on the path of an index.
    """
    with open_engine() as engine:
        _load_all(engine, paths, kind)
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


def relabel_classes(path: Path, output: Path, mapping: Mapping[int, int], *, where: str | None = None) -> None:
    """Write a list with other class numbers: two that become one are merged.

    Args:
        path: The list.
        output: The new list.
        mapping: The new number of each class.
        where: A regular expression (RE2): only images whose path matches get the new number, which splits a
            class in two.

    Raises:
        ListError: a class to relabel has no row, none that matches, or the list is not of one class each.
    """
    with open_engine() as engine:
        _require_classes(path, engine.load("rows", path), "relabelled")
        engine.connection.execute("CREATE TABLE renamed (old VARCHAR, new VARCHAR)")
        engine.connection.executemany(
            "INSERT INTO renamed VALUES (?, ?)", [(str(old), str(new)) for old, new in mapping.items()]
        )
        _refuse(
            engine,
            "FROM renamed SELECT old WHERE old NOT IN (FROM rows SELECT label) ORDER BY old",
            f"is not a class of {path}",
        )
        matches = f"{match_path(engine, where)} <> ''" if where else "true"
        _refuse(
            engine,
            f"FROM renamed SELECT old WHERE old NOT IN (FROM rows SELECT label WHERE {matches}) ORDER BY old",
            f"has no image whose path matches {where!r}",
        )
        engine.write_whole(
            f"FROM rows LEFT JOIN renamed ON label = old AND {matches} "
            "SELECT number, coalesce(new, label) AS label, path ORDER BY line",
            output,
        )


def add_rows(path: Path, additions: Path, output: Path, *, kind: ListKind | None = None) -> None:
    """Write a list with the rows of another after its own.

    Args:
        path: The list.
        additions: The other.
        output: Where the list goes.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: an index or a path is in both.
    """
    with open_engine() as engine:
        _load_all(engine, [path, additions], kind)
        _refuse(
            engine,
            "FROM every SELECT path GROUP BY path HAVING count(*) > 1 ORDER BY path",
            "is in the list already; use `headrace lst replace` to change its row",
        )
        _refuse_shared_indices(engine, "every")
        engine.write_whole("FROM every SELECT number, label, path ORDER BY list, line", output)


def remove_rows(path: Path, paths: Iterable[str], output: Path, *, kind: ListKind | None = None) -> None:
    """Write a list without the rows of some paths.

    Args:
        path: The list.
        paths: What is to be removed.
        output: Where the list goes.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: a path to remove is not in the list.
    """
    with open_engine() as engine:
        engine.load("rows", path, kind)
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


def replace_rows(
    path: Path, replacements: Path, output: Path, *, key: Key = Key.PATH, kind: ListKind | None = None
) -> None:
    """Write a list with rows replaced by those of another, in the same positions.

    Args:
        path: The list.
        replacements: The new rows.
        output: Where the list goes.
        key: Rows of the same path get another label and index; those of the same index another path and label.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: there is no row to replace, or an index or a path would occur twice.
    """
    column = "path" if key is Key.PATH else "number"
    with open_engine() as engine:
        _load_all(engine, [path, replacements], kind)
        _refuse(
            engine,
            f"FROM rows1 SELECT {column} WHERE {column} NOT IN (FROM rows0 SELECT {column}) ORDER BY line",
            f"is not in {path}; use `headrace lst add` for new rows",
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
            "would occur twice in the list",
        )
        engine.write_whole("FROM replaced SELECT number, label, path ORDER BY line", output)


def _load_all(engine: Engine, paths: Sequence[Path], kind: ListKind | None) -> None:
    """Load lists as rows0, rows1, …, and a view `every` of all their rows."""
    sources = [engine.find_source(path).as_kind(kind) for path in paths]
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
        raise ListError(f"{told}\nindices are unique; `headrace lst merge --renumber` gives every row its own index")


def _refuse(engine: Engine, query: str, reason: str) -> None:
    """Refuse what a query finds, naming the first few."""
    found = [value for (value,) in engine.fetch(f"{query} LIMIT {SHOWN_ROWS + 1}")]
    if found:
        more = "\nand more" if len(found) > SHOWN_ROWS else ""
        raise ListError("\n".join(f"{value} {reason}" for value in found[:SHOWN_ROWS]) + more)
