"""Lists divided into parts for training, validation and a last test.

By a hash of each path, so that another image moves no other; no list is held in Python's memory.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from headrace.files import whole_files
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO, TEST, TRAIN, VALIDATION, Division, find_mistake
from headrace.lst.engine import Engine, hash_sql, match_path, open_engine, quote
from headrace.lst.hashing import limit_hash, salt
from headrace.lst.layouts import ListKind
from headrace.lst.rows import ListError


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
    matched = match_path(engine, pattern)
    ((rows, ungrouped),) = engine.fetch(f"FROM rows SELECT count(*), count_if({matched} = '')")
    if rows and rows == ungrouped:
        raise ListError(f"{path}: {pattern!r} matches no path, so there are no groups")
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
        by_label: Whether to hold out something of every label; labels that are not classes are rarely the same.
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


def _name_unit(engine: Engine, pattern: str) -> str:
    """The SQL for what keeps images together."""
    matched = match_path(engine, pattern)
    return f"CASE WHEN {matched} <> '' THEN {matched} ELSE path END"
