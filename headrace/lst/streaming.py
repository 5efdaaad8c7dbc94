"""Lists of any number of images, made without holding them in Python's memory."""

from collections.abc import Iterable
from pathlib import Path

from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO
from headrace.lst.engine import hash_sql, open_engine, read_csv
from headrace.lst.making import Classes, check_ratio, name_class
from headrace.lst.rows import ListError
from headrace.lst.splitting import hold_out, write_parts


def write_made_lists(
    paths: Iterable[str],
    mapping: Classes,
    train: Path,
    validation: Path,
    *,
    ratio: float = DEFAULT_VALIDATION_RATIO,
) -> tuple[str, ...]:
    """Write the lists that `make_lists_of` gives; the classes in the order of their numbers.

    Args:
        paths: Image paths below the channel.
        mapping: The class of each path or first folder, or what says the class of a path.
        train: Where the training rows go.
        validation: Where the rows that are held out go.
        ratio: The part that is held out.
    """
    check_ratio(ratio)
    with open_engine() as engine:
        labelled = engine.scratch / "labelled.tsv"
        engine.write_scratch(labelled, (_label_line(path, mapping) for path in paths))
        reader = read_csv(labelled, "{'class': 'VARCHAR', 'path': 'VARCHAR'}")
        engine.connection.execute(f"CREATE TABLE labelled AS FROM {reader}")
        classes = tuple(name for (name,) in engine.fetch("FROM labelled SELECT DISTINCT class ORDER BY class"))
        if not classes:
            raise ListError("there are no images to list; put the images of each class into their own folder")
        engine.connection.execute("CREATE TABLE classes (name VARCHAR, label VARCHAR)")
        engine.connection.executemany(
            "INSERT INTO classes VALUES (?, ?)", [(name, str(label)) for label, name in enumerate(classes)]
        )
        engine.connection.execute(
            f"CREATE VIEW rows AS FROM labelled JOIN classes ON class = name SELECT {hash_sql('path')} AS number, "
            "label, path, 0 AS line"
        )
        hold_out(engine, ratios=(ratio, 0.0), seed=0, group_by=None, stratified=False)
        write_parts(engine, (train, validation), order="number")
    return classes


def _label_line(path: str, mapping: Classes) -> str:
    if any(character in path for character in "\t\r\n"):
        raise ListError(f"{path!r} holds a tab or a line end, which a list cannot; rename it")
    return f"{name_class(path, mapping)}\t{path}\n"
