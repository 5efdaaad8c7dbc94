"""Lists: which image is of which class.

A list is a text file ending in `.lst` with one row per image: a unique index, the class counted from 0 and the image's
path below its channel, with tabs between them. A sample:

    0	0	accordion/image_0001.jpg
    1	1	bonsai/image_0007.jpg
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
DEFAULT_VALIDATION_RATIO = 0.2

# Whole numbers up to here survive tools that read them as floating point numbers.
_INDEX_BITS = 53
_INDEX = re.compile(r"[0-9]{1,18}")
# MXNet's im2rec writes classes as 1.000000.
_LABEL = re.compile(r"([0-9]{1,9})(\.0*)?")
_UNWRITABLE = re.compile(r"[\t\r\n]")


class ListError(Exception):
    """A list, or a folder to make lists of, that cannot be used; its message says where and why."""


@dataclass(frozen=True)
class ListRow:
    """One image of a list: its unique index, its class counted from 0 and its path below the channel."""

    index: int
    label: int
    path: str


def read_lst(path: Path) -> list[ListRow]:
    """The rows of a list, in its order; blank lines are none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ListError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ListError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    rows = {number: parse_row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()}
    check_indices(path, rows.items())
    return list(rows.values())


def parse_row(path: Path, number: int, line: str) -> ListRow:
    """The row on one line of the file at `path`."""
    fields = line.split("\t")
    if len(fields) != 3:
        raise ListError(
            f"{path}, line {number}: expected an index, a class and a path with tabs between them, "
            f"found {len(fields)} fields"
        )
    index, label = _INDEX.fullmatch(fields[0].strip()), _LABEL.fullmatch(fields[1].strip())
    if not index:
        raise ListError(f"{path}, line {number}: index {fields[0]!r} is not a whole number")
    if not label:
        raise ListError(f"{path}, line {number}: class {fields[1]!r} is not a whole number from 0")
    if not fields[2].strip():
        raise ListError(f"{path}, line {number}: the path is empty")
    return ListRow(int(index[0]), int(label[1]), fields[2])


def check_indices(path: Path, rows: Iterable[tuple[int, ListRow]]) -> None:
    """Refuse an index that two lines have."""
    lines: dict[int, int] = {}
    for line, row in rows:
        first = lines.setdefault(row.index, line)
        if first != line:
            raise ListError(f"{path}, line {line}: index {row.index} is that of line {first}, too; indices are unique")


def write_lst(path: Path, rows: Iterable[ListRow]) -> None:
    """Write a list; it appears whole or not at all."""
    numbered = list(enumerate(rows, start=1))
    check_indices(path, numbered)
    for line, row in numbered:
        if min(row.index, row.label) < 0 or not row.path.strip() or _UNWRITABLE.search(row.path):
            raise ListError(f"{path}, line {line}: {row} has a negative number, or a path that is empty or holds a tab")
    text = "".join(f"{row.index}\t{row.label}\t{row.path}\n" for _, row in numbered)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def make_lists(
    folder: Path, validation_ratio: float = DEFAULT_VALIDATION_RATIO
) -> tuple[tuple[str, ...], list[ListRow], list[ListRow]]:
    """The classes, training rows and validation rows of a folder with one sub-folder of images per class.

    An image's index is a hash of its path, which also gives
    its place in the list and the part it belongs to; so one image more moves no other, on whatever machine.

    Args:
        folder: Its sub-folders are the classes, in the order of their names.
        validation_ratio: Part of each class's images that is held out, met the closer the more images there are. A
            class of two or more has at least one image in either part.
    """
    if not 0 < validation_ratio < 1:
        raise ListError(f"the validation ratio is {validation_ratio}, expected a number between 0 and 1")
    classes = find_classes(folder)
    train: list[ListRow] = []
    validation: list[ListRow] = []
    for label, name in enumerate(classes):
        rows = make_rows(folder, name, label)
        held_out = count_held_out([row.index for row in rows], validation_ratio)
        validation += rows[:held_out]
        train += rows[held_out:]
    return classes, sorted(train, key=_by_index), sorted(validation, key=_by_index)


def find_classes(folder: Path) -> tuple[str, ...]:
    """The names of the sub-folders, each of which is a class, sorted."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise ListError(f"{folder}: {error.strerror}") from error
    if not names:
        raise ListError(f"{folder} has no sub-folder; put the images of each class into one of its own")
    return tuple(names)


def make_rows(folder: Path, name: str, label: int) -> list[ListRow]:
    """The rows of one class in the order of their indices."""
    paths = [
        path.relative_to(folder).as_posix()
        for path in (folder / name).rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not paths:
        raise ListError(f"{folder / name} has no image ({', '.join(sorted(IMAGE_SUFFIXES))}); remove it or add some")
    return sorted((ListRow(hash_path(path), label, path) for path in paths), key=_by_index)


def hash_path(path: str) -> int:
    """A number below 2^53, evenly spread, that is always the same for the path."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _INDEX_BITS)


def count_held_out(indices: Sequence[int], ratio: float) -> int:
    """How many of a class's images, lowest index first, are for validation."""
    limit = ratio * (1 << _INDEX_BITS)
    below = sum(index < limit for index in indices)
    return max(min(below, len(indices) - 1), min(1, len(indices) - 1))


def _by_index(row: ListRow) -> int:
    return row.index
