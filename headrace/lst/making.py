"""Lists made of folders and S3 prefixes."""

import csv
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Self

from headrace.errors import explain_os_error
from headrace.inputs import naming_text, open_input, read_text_lines
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO, find_mistake
from headrace.lst.hashing import hash_path, limit_hash
from headrace.lst.rows import ListError, ListRow
from headrace.normalizer.formats import CLASSIFIED, list_suffixes
from headrace.s3.addresses import S3Address, S3AddressError

# What SageMaker's built-in algorithms read; the normalizer makes these of other formats.
IMAGE_SUFFIXES = frozenset(list_suffixes(CLASSIFIED))
# The class of each path or first folder, or what says the class of a path.
Classes = Mapping[str, str] | Callable[[str], str | None]


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
    check_ratio(validation_ratio)
    classes = find_classes(folder)
    return make_lists_of(find_images(folder, classes), {name: name for name in classes}, validation_ratio)


def make_lists_of(
    paths: Iterable[str], mapping: Classes, validation_ratio: float = DEFAULT_VALIDATION_RATIO
) -> tuple[tuple[str, ...], list[ListRow], list[ListRow]]:
    """As `make_lists`, of paths from anywhere.

    Args:
        paths: Image paths below the channel.
        mapping: The class of each path, or of each first folder where a path itself is not named.
        validation_ratio: As for `make_lists`.
    """
    check_ratio(validation_ratio)
    classes, rows = label_paths(paths, mapping)
    train: list[ListRow] = []
    validation: list[ListRow] = []
    by_class = sorted(rows, key=lambda row: (row.label, row.index))
    for _, group in itertools.groupby(by_class, key=lambda row: row.label):
        of_class = list(group)
        held_out = count_held_out([row.index for row in of_class], validation_ratio)
        validation += of_class[:held_out]
        train += of_class[held_out:]
    return classes, sorted(train, key=_by_index), sorted(validation, key=_by_index)


def label_paths(paths: Iterable[str], mapping: Classes) -> tuple[tuple[str, ...], list[ListRow]]:
    """The classes that paths have, sorted, and a row for each path."""
    named = {path: name_class(path, mapping) for path in paths}
    if not named:
        raise ListError("there are no images to list; put the images of each class into their own folder")
    classes = tuple(sorted(set(named.values())))
    labels = {name: label for label, name in enumerate(classes)}
    return classes, [ListRow(hash_path(path), labels[name], path) for path, name in named.items()]


def read_mapping(path: Path) -> dict[str, str]:
    """The mapping in a CSV file without header: a path or a folder, and its class."""
    try:
        with naming_text(path, ListError), open_input(path) as file:
            rows = csv.reader(read_text_lines(file))
            lines = [(number, fields) for number, fields in enumerate(rows, start=1) if fields]
    except csv.Error as error:
        raise ListError(f"{path}: not CSV: {error}") from error
    if not lines:
        raise ListError(f"{path}: has no row; give a path or folder, a comma and a class on each line")
    mapping: dict[str, str] = {}
    for number, fields in lines:
        problem = _find_mapping_problem(fields, mapping)
        if problem:
            raise ListError(f"{path}, line {number}: {problem}")
        mapping[fields[0]] = fields[1]
    return mapping


def _find_mapping_problem(fields: Sequence[str], mapping: Mapping[str, str]) -> str | None:
    """What is wrong with a line of a mapping, after the lines before it."""
    if len(fields) != 2 or not all(field.strip() for field in fields):
        return "expected a path or folder, a comma and a class"
    key, name = fields
    if re.search(r"[\t\r\n]", name):
        return f"the class {name!r} has a tab or a line end; name it without"
    first = mapping.get(key, name)
    return f"{key} is of class {name}, and on an earlier line of {first}" if first != name else None


class Naming:
    """Names the classes of paths by a mapping, and keeps what it has named none by.

    Args:
        names: The class of each path or first folder.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self.unused = dict.fromkeys(names)

    def __call__(self, path: str) -> str | None:
        """The class of a path; None where it has none."""
        key = path if path in self._names else path.partition("/")[0]
        self.unused.pop(key, None)
        return self._names.get(key)


def find_classes(folder: Path) -> tuple[str, ...]:
    """The names of the sub-folders, each of which is a class, sorted."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise ListError(explain_os_error(error, folder)) from error
    if not names:
        raise ListError(f"{folder} has no sub-folder; put the images of each class into their own sub-folder")
    return tuple(names)


@dataclass
class Finder:
    """What counts as an image, and what has been left out, by why.

    Args:
        suffixes: The ends of image files' names, in lower case.
        left_out: How many files were no images, or of no class.
    """

    suffixes: frozenset[str] = IMAGE_SUFFIXES
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def with_more(cls, suffixes: Iterable[str]) -> Self:
        """One that takes files of other suffixes, too."""
        return cls(IMAGE_SUFFIXES | {f".{suffix.lower().lstrip('.')}" for suffix in suffixes})

    def takes(self, path: str) -> bool:
        """Whether a file is an image by its name; hidden files are none, and are not counted."""
        name = PurePosixPath(path)
        if name.name.startswith("."):
            return False
        if name.suffix.lower() not in self.suffixes:
            self.left_out[name.suffix.lower() or "no suffix"] += 1
            return False
        return True

    def can_list(self, path: str) -> bool:
        """Whether a list, which is UTF-8, can hold a path."""
        try:
            path.encode()
        except UnicodeEncodeError:
            self.left_out["a name that is not UTF-8"] += 1
            return False
        return True

    def count_unreadable(self, _error: OSError) -> None:
        """Count a folder that cannot be read."""
        self.left_out["a folder that cannot be read"] += 1

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(self.left_out.items()))
        return f"{self.left_out.total()} files left out: {kinds}"


def find_images(folder: Path, classes: Iterable[str], finder: Finder | None = None) -> Iterator[str]:
    """The paths below a folder of the images of each class; linked folders are followed.

    Args:
        folder: Its sub-folders are the classes.
        classes: The names of the sub-folders.
        finder: Says what is an image, and counts what is left out.
    """
    finder = finder or Finder()
    rootless = sum(path.is_file() and finder.takes(path.name) for path in folder.iterdir())
    if rootless:
        finder.left_out["no class, beside the folders"] += rootless
    for name in classes:
        images = (
            path.relative_to(folder).as_posix() for path in _walk(folder / name, finder) if finder.takes(path.name)
        )
        paths = [path for path in images if finder.can_list(path)]
        if not paths:
            raise ListError(
                f"{folder / name} has no image ({', '.join(sorted(finder.suffixes))}); remove it or add images"
            )
        yield from paths


def _walk(folder: Path, finder: Finder) -> Iterator[Path]:
    """The files below a folder and the folders that links in it lead to, each folder once."""
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, onerror=finder.count_unreadable, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            finder.left_out["a folder that a link has included already"] += 1
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in files:
            path = Path(place, name)
            if path.is_file():
                yield path
            else:
                finder.left_out["a broken link, or not a file"] += 1


def find_s3_images(uri: str, client: Any, finder: Finder | None = None) -> Iterator[str]:
    """The paths below an S3 prefix of its images.

    Args:
        uri: `s3://bucket/prefix/`, as the channel has it.
        client: boto3's client of S3.
        finder: Says what is an image, and counts what is left out.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from headrace.s3.answers import Refusal

    finder = finder or Finder()
    folder = _parse_folder(uri)
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=folder.bucket, Prefix=folder.key):
            keys = [entry["Key"] for entry in page.get("Contents", ())]
            yield from (key.removeprefix(folder.key) for key in keys if not key.endswith("/") and finder.takes(key))
    except ClientError as error:
        raise ListError(f"{uri}: {Refusal.of(error.response)}") from error
    except BotoCoreError as error:
        raise ListError(f"{uri}: {error}") from error


def _parse_folder(uri: str) -> S3Address:
    try:
        return S3Address.parse(uri).as_folder()
    except S3AddressError as error:
        raise ListError(str(error)) from None


def count_held_out(indices: Sequence[int], ratio: float) -> int:
    """How many of a class's images, lowest index first, are for validation."""
    below = sum(index < limit_hash(ratio) for index in indices)
    return max(min(below, len(indices) - 1), min(1, len(indices) - 1))


def check_ratio(ratio: float) -> None:
    """Refuse a ratio that leaves a part empty."""
    if mistake := find_mistake(ratio):
        raise ListError(mistake)


def name_class(path: str, mapping: Classes) -> str:
    """The class of a path."""
    name = mapping(path) if callable(mapping) else mapping.get(path) or mapping.get(path.partition("/")[0])
    if not name:
        raise ListError(f"{path} has no class; name it or its first folder in the mapping, or leave it out")
    return name


def name_folders(path: str) -> str | None:
    """The first folder of a path, as a class; None where it is in none."""
    folder, slash, _ = path.partition("/")
    return folder if slash else None


def _by_index(row: ListRow) -> int:
    return row.index
