"""What there is at an address, and how much."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from headrace.data.addresses import Address, AddressLike, parse_address
from headrace.data.clients import connect
from headrace.data.entries import Entry, Usage
from headrace.data.errors import MissingObjectError, explaining
from headrace.data.folders import describe_file, list_files, list_folder
from headrace.errors import as_shown
from headrace.s3 import heads
from headrace.s3.addresses import S3Address


def list_objects(address: AddressLike, *, recursive: bool = False) -> Iterator[Entry]:
    """What is at an address: one object, or what is in the folder; also what is not a file, with its `problem`.

    Args:
        address: `s3://bucket/prefix` or a path.
        recursive: Whether to go into the folders that are in it.

    Raises:
        MissingObjectError: If there is nothing.
    """
    return iter(find_entries(parse_address(address), recursive=recursive)[1])


def measure_usage(address: AddressLike) -> Usage:
    """How many objects are at an address, and their bytes together; what is not a file does not count."""
    return add_up(list_objects(address, recursive=True))


def add_up(entries: Iterable[Entry]) -> Usage:
    """How many of the entries are objects, and their bytes together."""
    sizes = [entry.size for entry in entries if not entry.problem]
    return Usage(len(sizes), sum(sizes))


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


def describe_object(address: S3Address) -> Entry:
    """An object as an entry under its own name.

    Raises:
        MissingObjectError: If there is none.
    """
    with explaining(address):
        client = connect().client_of(address.bucket)
        found = heads.describe_object(client, address.bucket, address.key)
    return _as_entry(address.name, found | {"Size": found["ContentLength"]})


def _find_files(path: Path, *, recursive: bool) -> tuple[Path, Iterable[Entry]]:
    if path.is_dir():
        return path, list_files(path) if recursive else list_folder(path)
    if not os.path.lexists(path):
        raise MissingObjectError(f"there is nothing at {as_shown(path)}")
    return path, [describe_file(path, path.name)]


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
