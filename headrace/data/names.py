"""Which objects can be files in one folder, and which files can be objects."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from headrace.data.entries import Entry
from headrace.data.folders import STAGING
from headrace.s3.addresses import S3Address

_NO_SEGMENTS: Final = {"", ".", ".."}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_LONGEST_KEY: Final = 1024


def settle_files(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that are to be files, each with the problem that keeps it from being one.

    The empty objects that stand for folders are left out.
    """
    files = [entry for entry in entries if entry.size or not entry.is_folder]
    folders = _find_folders(place_of(entry.name) for entry in files if is_file_name(place_of(entry.name)))
    taken: dict[str, str] = {}
    # A key that is its own path goes before one that only becomes it.
    for entry in sorted(files, key=lambda entry: place_of(entry.name) != entry.name):
        problem = entry.problem or _find_file_problem(entry.name, folders, taken)
        taken.setdefault(place_of(entry.name), entry.name)
        yield replace(entry, problem=problem)


def settle_objects(entries: Iterable[Entry], target: S3Address) -> Iterator[Entry]:
    """The entries, each with the problem that keeps it from being an object below a prefix."""
    for entry in entries:
        yield replace(entry, problem=entry.problem or _find_key_problem(target.key + entry.name))


def place_of(name: str) -> str:
    """The path that a key becomes: without empty segments, as with the AWS CLI and s5cmd.

    Example:
        >>> place_of("/a//b")
        'a/b'
    """
    if "//" not in name and not name.startswith("/"):
        return name
    slash = "/" if name.endswith("/") else ""
    return "/".join(filter(None, name.split("/"))) + slash


def is_file_name(name: str) -> bool:
    """Whether a key can be the path of a file below a folder."""
    segments = name.split("/")
    if "\0" in name or segments[0] == STAGING or (sys.platform == "win32" and ("\\" in name or ":" in name)):
        return False
    return _NO_SEGMENTS.isdisjoint(segments)


def _find_file_problem(name: str, folders: set[str], taken: dict[str, str]) -> str:
    place = place_of(name)
    if not is_file_name(place):
        return "its key is not the name of a file inside the folder; rename the object"
    if place in folders:
        return "both an object and a folder of objects; rename one of them"
    if place in taken:
        return f"it would be the same file as {taken[place]!r}; rename one of them"
    return ""


def _find_key_problem(key: str) -> str:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8, as keys must be; rename the file"
    return f"its key would have {size:,} bytes; S3 allows {_LONGEST_KEY:,}" if size > _LONGEST_KEY else ""


def _find_folders(names: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders
