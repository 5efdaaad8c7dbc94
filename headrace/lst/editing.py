"""Lists made of other lists: split, merged, relabelled, with rows added, removed and replaced.

Each writes its outputs whole or not at all, keeps the order of its input and holds no list in Python's memory.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from headrace.files import whole_files
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO, TEST, TRAIN, VALIDATION, Division, find_mistake
from headrace.lst.engine import Engine, open_engine, quote
from headrace.lst.hashing import limit_hash, salt
from headrace.lst.layouts import ONE_CLASS, ONE_NUMBER, Layout, ListKind
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
    test: Path | None = None,
    ratio: float = DEFAULT_VALIDATION_RATIO,
    test_ratio: float | None = None,
    seed: int = 0,
    group_by: str | None = None,
    stratified: bool = False,
    kind: ListKind | None = None,
) -> Division:
    """Divide a list by a hash of each path; a class of as many rows as there are parts is in each part.

    Args:
        path: The list.
        train: Where the training rows go.
        validation: Where the rows that are held out go.
        test: Where the rows that are held out for a last test go, where some are.
        ratio: The part that is held out for validation.
        test_ratio: The part that is held out for the test; without it, as much as for validation.
        seed: Another seed divides another way; 0 divides as `make_lists` does.
        group_by: A regular expression (RE2): images for whose paths its first group, or all of it, matches the same
            text stay together; a path it does not match is on its own.
        stratified: Hold out the ratio of every class as nearly as can be; one more image may then move another.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: the pattern matches no path, or nothing could be held out.
    """
    for_test = (test_ratio or ratio) if test else 0.0
    if mistake := find_mistake(ratio, for_test):
        raise ListError(mistake)
    with open_engine() as engine:
        layout = engine.load("rows", path, kind)
        if stratified and layout.kind in {ListKind.NUMBER, ListKind.BOXES}:
            raise ListError(f"{path} has {layout.kind} for labels; only lists of classes can be stratified")
        ungrouped = _count_ungrouped(engine, path, group_by) if group_by else 0
        by_label = stratified or layout.kind is ListKind.CLASS
        ratios = ratio, for_test
        hold_out(engine, ratios=ratios, seed=seed, group_by=group_by, stratified=stratified, by_label=by_label)
        counts = _count_parts(engine)
        _refuse_nothing_held_out(path, counts, group_by)
        write_parts(engine, (train, validation, *([test] if test else ())))
    return Division(train=counts[TRAIN], validation=counts[VALIDATION], test=counts[TEST], ungrouped=ungrouped)


def _count_ungrouped(engine: Engine, path: Path, pattern: str) -> int:
    """How many paths a pattern finds nothing in."""
    matched = _match(engine, pattern)
    ((rows, ungrouped),) = engine.fetch(f"FROM rows SELECT count(*), count_if({matched} = '')")
    if rows and rows == ungrouped:
        raise ListError(f"{path}: {pattern!r} is found in no path; there are no groups")
    return int(ungrouped)


def _count_parts(engine: Engine) -> Counter[int]:
    counts = engine.fetch(
        f"FROM units LEFT JOIN held_out USING (unit) SELECT coalesce(part, {TRAIN}), count(*) GROUP BY ALL"
    )
    return Counter(dict(counts))


def _refuse_nothing_held_out(path: Path, counts: Counter[int], group_by: str | None) -> None:
    if counts[VALIDATION] or not counts[TRAIN]:
        return
    why = f"no class is in two groups of {group_by!r}" if group_by else "no class has two images"
    raise ListError(f"{path}: nothing could be held out: {why}")


def hold_out(
    engine: Engine,
    *,
    ratios: tuple[float, float],
    seed: int,
    group_by: str | None,
    stratified: bool,
    by_label: bool = True,
) -> None:
    """Make a table of the units of `rows` that are held out, and a view of which row is of which unit.

    Args:
        engine: Holds the rows.
        ratios: The parts that are held out for validation and for the test.
        seed: Another seed divides another way.
        group_by: A regular expression: paths in which it finds the same text are a unit.
        stratified: Hold out the ratio of every label as nearly as can be.
        by_label: Whether to hold out something of every label; labels that are not classes are hardly ever the same.
    """
    unit = _name_unit(engine, group_by) if group_by else "path"
    engine.connection.execute(f"CREATE VIEW units AS FROM rows SELECT *, {unit} AS unit")
    validation, test = ratios
    engine.connection.execute(
        _HELD_OUT.format(
            hash=hash_sql(f"{quote(salt(seed))} || unit"),
            label="min(label)" if by_label else "''",
            validation=_is_below(validation, stratified=stratified),
            test=f"({_is_below(validation + test, stratified=stratified)} OR rank = validated + 1)"
            if test
            else "false",
        )
    )


def _is_below(ratio: float, *, stratified: bool) -> str:
    return f"upto - size / 2.0 <= {ratio!r} * total" if stratified else f"place < {limit_hash(ratio)!r}"


_HELD_OUT = """
    CREATE TABLE held_out AS
    WITH sized AS (FROM units SELECT unit, {label} AS label, count(*) AS size GROUP BY unit),
    placed AS (FROM sized SELECT *, {hash} AS place),
    ranked AS (
        FROM placed
        SELECT unit, label, size, place, row_number() OVER by_place AS rank, sum(size) OVER by_place AS upto,
               count(*) OVER of_class AS units, sum(size) OVER of_class AS total
        WINDOW by_place AS (PARTITION BY label ORDER BY place, unit), of_class AS (PARTITION BY label)
    ),
    divided AS (FROM ranked SELECT *, rank = 1 OR {validation} AS in_validation WHERE rank < units),
    counted AS (FROM divided SELECT *, count_if(in_validation) OVER (PARTITION BY label) AS validated)
    FROM counted SELECT unit, CASE WHEN in_validation THEN 1 ELSE 2 END AS part
    WHERE in_validation OR {test}
"""


def write_parts(engine: Engine, parts: Sequence[Path], order: str = "line") -> None:
    """Write the rows that are not held out, then those that are."""
    with whole_files(*parts) as partials:
        for part, partial in enumerate(partials):
            held_out = (
                "FROM held_out SELECT unit" if part == TRAIN else f"FROM held_out SELECT unit WHERE part = {part}"
            )
            engine.write(
                f"FROM units SELECT number, label, path WHERE unit {'NOT IN' if part == TRAIN else 'IN'} ({held_out}) "
                f"ORDER BY {order}",
                partial,
            )


def sample_classes(path: Path, output: Path, per_class: int, *, seed: int = 0) -> dict[int, int]:
    """Write so many rows of each class, chosen by a hash of each path; the classes that have fewer, and how many.

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
        output: Where the new list goes.
        mapping: The new number of each class.
        where: A regular expression (RE2): only images in whose path it is found get the new number, which splits a
            class in two.

    Raises:
        ListError: a class to relabel has no row, none where the pattern is found, or the list is not of one class each.
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
        matches = f"{_match(engine, where)} <> ''" if where else "true"
        _refuse(
            engine,
            f"FROM renamed SELECT old WHERE old NOT IN (FROM rows SELECT label WHERE {matches}) ORDER BY old",
            f"has no image in whose path {where!r} is found",
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
    """Write a list with rows of another in place of its own, where they stand.

    Args:
        path: The list.
        replacements: The new rows.
        output: Where the list goes.
        key: Rows of the same path get another label and index; those of the same index another path and label.
        kind: What the labels are; without it, what the rows look like.

    Raises:
        ListError: there is no row to replace, or an index or a path would be there twice.
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
            "would be in the list twice",
        )
        engine.write_whole("FROM replaced SELECT number, label, path ORDER BY line", output)


def _name_unit(engine: Engine, pattern: str) -> str:
    """The SQL for what keeps images together."""
    matched = _match(engine, pattern)
    return f"CASE WHEN {matched} <> '' THEN {matched} ELSE path END"


def _match(engine: Engine, pattern: str) -> str:
    """The SQL for what a pattern finds in a path: its first group, or all of it; nothing is an empty text."""
    import duckdb

    try:
        group = min(re.compile(pattern).groups, 1)
        matched = f"regexp_extract(path, {quote(pattern)}, {group})"
        engine.fetch(f"FROM (VALUES ('')) AS tried(path) SELECT {matched}")
    except (re.error, duckdb.Error) as error:
        raise ListError(f"{pattern!r} is not a regular expression to group by: {error}") from error
    return matched


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
        raise ListError(f"{told}\nindices are unique; `headrace lst merge --renumber` gives every row one of its own")


def _refuse(engine: Engine, query: str, reason: str) -> None:
    """Refuse what a query finds, naming the first few."""
    found = [value for (value,) in engine.fetch(f"{query} LIMIT {SHOWN_ROWS + 1}")]
    if found:
        more = "\nand there are more" if len(found) > SHOWN_ROWS else ""
        raise ListError("\n".join(f"{value} {reason}" for value in found[:SHOWN_ROWS]) + more)
