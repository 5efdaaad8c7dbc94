"""Mirrors: what a target has and its source has not is deleted, with care."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from headrace.data.addresses import Address
from headrace.data.clients import connect
from headrace.data.entries import Entry
from headrace.data.errors import AddressError, DataError, explaining
from headrace.data.failures import conclude
from headrace.data.folders import STAGING
from headrace.data.workers import Done, FileOutcome
from headrace.s3.addresses import S3Address

# S3 deletes no more in one request.
_AT_ONCE: Final = 1_000


def check_mirror(source: Address, target: Address, entries: Iterable[Entry], *, is_single: bool) -> None:
    """Refuse a mirror that would delete what cannot have been meant.

    Raises:
        AddressError: If the source is one object, or one of the two lies in the other.
        DataError: If there is nothing in the source, or nothing but the empty objects that stand for folders.
    """
    if is_single:
        raise AddressError(f"{source} is one object; only a folder or a prefix can be mirrored")
    if _overlap(source, target):
        raise AddressError(f"of {source} and {target}, one contains the other; a mirror would delete its own source")
    if all(entry.is_folder and not entry.size and not entry.problem for entry in entries):
        raise DataError(
            f"{source} is empty, so its mirror would delete everything at {target}; if that is meant, delete it there"
        )


def find_surplus(found: Iterable[str], names: Iterable[str], takes: Callable[[str], bool]) -> list[str]:
    """The names of a target that its source has not; those that are not to be copied are not to be deleted either."""
    wanted = frozenset(names)
    return sorted(name for name in found if name not in wanted and not name.endswith("/") and takes(name))


def list_own_files(folder: Path) -> Iterator[str]:
    """The names of the files that lie in a folder itself: links to other folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != STAGING]
        for name in files:
            path = Path(place, name)
            if stat.S_IFMT(path.lstat().st_mode) in {stat.S_IFREG, stat.S_IFLNK}:
                yield path.relative_to(folder).as_posix()


def delete(target: Address, names: Iterable[str]) -> Iterator[Done]:
    """Delete files or objects; reports each, also one that cannot be deleted."""
    return _delete_objects(target, names) if isinstance(target, S3Address) else _delete_files(target, names)


def _overlap(source: Address, target: Address) -> bool:
    if isinstance(source, S3Address) and isinstance(target, S3Address):
        one, other = source.as_folder().key, target.as_folder().key
        return source.bucket == target.bucket and (one.startswith(other) or other.startswith(one))
    if isinstance(source, Path) and isinstance(target, Path):
        here, there = source.resolve(), target.resolve()
        return here.is_relative_to(there) or there.is_relative_to(here)
    return False


def _delete_files(folder: Path, names: Iterable[str]) -> Iterator[Done]:
    for name in names:
        path = folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            yield conclude(Entry(name, 0, 0), error)
            continue
        _remove_empty(path.parent, folder)
        yield Done(name, outcome=FileOutcome.DELETED)


def _remove_empty(path: Path, folder: Path) -> None:
    while path != folder:
        try:
            path.rmdir()
        except OSError:
            return
        path = path.parent


def _delete_objects(prefix: S3Address, names: Iterable[str]) -> Iterator[Done]:
    client = connect().client_of(prefix.bucket)
    left = iter(names)
    while some := list(islice(left, _AT_ONCE)):
        keys = {prefix.key + name: name for name in some}
        refused = _ask_to_delete(client, prefix, keys)
        for key, name in keys.items():
            if key in refused:
                yield conclude(Entry(name, 0, 0), DataError(refused[key]))
            else:
                yield Done(name, outcome=FileOutcome.DELETED)


def _ask_to_delete(client: Any, prefix: S3Address, keys: Iterable[str]) -> dict[str, str]:
    wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    with explaining(prefix):
        answer = client.delete_objects(Bucket=prefix.bucket, Delete=wanted)
    return {found["Key"]: f"{found['Code']}: {found.get('Message', '')}" for found in answer.get("Errors", ())}
