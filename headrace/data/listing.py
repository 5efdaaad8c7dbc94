"""What there is at an address, and how much."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

from headrace import s3_heads
from headrace.data.addresses import Address, AddressLike, S3Address, parse_address
from headrace.data.connection import connect
from headrace.data.errors import MissingObjectError, explaining

STAGING: Final = ".headrace-partial"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or an object.

    Args:
        name: Its path below the address it was listed from; ends with a slash if it is a folder.
        size: Its bytes.
        modified: When it was last written, in milliseconds since 1970; S3 tells no more.
        etag: S3's mark of its content; empty for files of this machine.
    """

    name: str
    size: int
    modified: int
    etag: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or the empty object that some clients put in a folder's place."""
        return self.name.endswith("/")

    @property
    def modified_at(self) -> datetime:
        """When it was last written."""
        return datetime.fromtimestamp(self.modified / 1000, UTC)


@dataclass(frozen=True)
class Usage:
    """How much there is at an address."""

    objects: int
    bytes: int


def list_objects(address: AddressLike, *, recursive: bool = False) -> Iterator[Entry]:
    """What is at an address: one object, or what is in the folder.

    Args:
        address: `s3://bucket/prefix` or a path.
        recursive: Whether to go into the folders that are in it.

    Raises:
        MissingObjectError: If there is nothing.
    """
    return iter(find_entries(parse_address(address), recursive=recursive)[1])


def measure_usage(address: AddressLike) -> Usage:
    """How many objects are at an address, and their bytes together."""
    objects = size = 0
    for entry in list_objects(address, recursive=True):
        objects += 1
        size += entry.size
    return Usage(objects, size)


def find_entries(address: Address, *, recursive: bool = True) -> tuple[Address, Iterable[Entry]]:
    """The folder an address means and what is in it, or the object it names with its own name.

    A key without a slash at the end means the folder of that name, and the object where there is no such folder.

    Raises:
        MissingObjectError: If there is nothing; a whole bucket and a folder of this machine may be empty.
    """
    if isinstance(address, Path):
        return _find_files(address, recursive=recursive)
    folder = address.as_folder()
    entries = list_prefix(folder, recursive=recursive)
    first = next(entries, None)
    if first:
        return folder, chain([first], entries)
    if address.is_folder:
        return folder, _empty(folder)
    return address, [describe_object(address)]


def list_prefix(folder: S3Address, *, recursive: bool = True) -> Iterator[Entry]:
    """The objects whose keys start with a folder's, but for one of that very key, in the order of their keys."""
    for page in _list_pages(folder, recursive=recursive):
        for found in page.get("CommonPrefixes", ()):
            yield Entry(found["Prefix"].removeprefix(folder.key), 0, 0)
        for found in page.get("Contents", ()):
            if name := found["Key"].removeprefix(folder.key):
                yield _as_entry(name, found)


def list_files(folder: Path) -> Iterator[Entry]:
    """The files below a folder; links to folders are not followed."""
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if name != STAGING)
        for name in sorted(files):
            path = Path(place, name)
            yield describe_file(path, path.relative_to(folder).as_posix())


def describe_file(path: Path, name: str) -> Entry:
    """A file as an entry."""
    status = path.stat()
    return Entry(name, status.st_size, status.st_mtime_ns // 1_000_000)


def describe_object(address: S3Address) -> Entry:
    """An object as an entry under its own name.

    Raises:
        MissingObjectError: If there is none.
    """
    with explaining(address):
        client = connect().client_of(address.bucket)
        found = s3_heads.describe_object(client, address.bucket, address.key)
    return _as_entry(address.name, found | {"Size": found["ContentLength"]})


def _find_files(path: Path, *, recursive: bool) -> tuple[Path, Iterable[Entry]]:
    if not path.exists():
        raise MissingObjectError(f"there is nothing at {path}")
    if not path.is_dir():
        return path, [describe_file(path, path.name)]
    return path, list_files(path) if recursive else _list_folder(path)


def _list_folder(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield Entry(f"{path.name}/", 0, 0)
        else:
            yield describe_file(path, path.name)


def _empty(folder: S3Address) -> list[Entry]:
    if folder.key:
        raise MissingObjectError(f"there is nothing at {folder}")
    return []


def _list_pages(folder: S3Address, *, recursive: bool) -> Iterator[dict[str, Any]]:
    request = {"Bucket": folder.bucket, "Prefix": folder.key} | ({} if recursive else {"Delimiter": "/"})
    with explaining(folder):
        pages = connect().client_of(folder.bucket).get_paginator("list_objects_v2").paginate(**request)
    iterator = iter(pages)
    while True:
        with explaining(folder):
            page = next(iterator, None)
        if page is None:
            return
        yield page


def _as_entry(name: str, found: dict[str, Any]) -> Entry:
    return Entry(name, found["Size"], round(found["LastModified"].timestamp() * 1000), found.get("ETag", ""))


def _raise(error: OSError) -> None:
    raise error
