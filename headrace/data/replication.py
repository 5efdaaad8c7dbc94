"""Replicas of what is at one address at another: only what changed, whole or not at all, checked."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from headrace.data.addresses import Address, AddressLike, S3Address, parse_address
from headrace.data.bucket_copies import BucketCopy
from headrace.data.checksums import PART_SIZE
from headrace.data.connection import WORKERS, connect
from headrace.data.downloads import Download
from headrace.data.errors import MissingObjectError
from headrace.data.file_copies import FileCopy
from headrace.data.listing import Entry, describe_object, find_entries, list_prefix
from headrace.data.names import keep_files
from headrace.data.staging import Staging, staging_in
from headrace.data.uploads import Upload
from headrace.data.work import Outcome, Step, work_off


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a replication did.

    Args:
        source: Where the files are from.
        target: Where they are now.
        copied: The names of those that were copied, sorted.
        unchanged: The names of those that were there already.
        missing: The names of those that were listed, but gone when their turn came.
        bytes_copied: The size of the copied ones.
    """

    source: str
    target: str
    copied: tuple[str, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    bytes_copied: int


@dataclass(slots=True)
class Progress:
    """How far a replication is."""

    files_total: int
    bytes_total: int
    files: int = 0
    bytes: int = 0


class _Transfer(Protocol):
    def is_unchanged(self, entry: Entry) -> bool: ...

    def copy(self, entry: Entry) -> Step: ...


def replicate(
    source: AddressLike,
    target: AddressLike,
    *,
    workers: int = WORKERS,
    checksum: bool = False,
    dry_run: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Report:
    """Copy a prefix to a folder, a folder to a prefix, a bucket to a bucket, or one object; only what changed.

    Every file appears whole or not at all, so a run that was killed is finished by running it again.

    Args:
        source: `s3://bucket/prefix` or a path. Without a slash at its end, the object where there is no such folder.
        target: `s3://bucket/prefix` or a path; for one object its own address, unless it is a folder.
        workers: How many requests run at once.
        checksum: Whether to compare contents also where size and time say that nothing has changed.
        dry_run: Whether to report only what would be copied.
        progress: Is told, in the caller's thread, how far it is.

    Raises:
        KeyRefusedError: Before anything is copied, if a key names no file inside the folder.
        DamagedObjectError: If something arrives cut off or with another checksum.
        DataError: If anything else goes wrong; a single object that is gone by its turn is only reported.
    """
    route = _find_route(source, target)
    record = _Record(route, progress)
    with _open_transfer(route, checksum=checksum, dry_run=dry_run) as transfer:
        tasks = (partial(_deal_with, transfer, entry, dry_run=dry_run) for entry in route.entries)
        work_off(tasks, min(workers, route.count_steps()), record.add)
    return record.report()


@dataclass(frozen=True)
class _Route:
    """What is to be copied from where to where; a single object has an empty name."""

    source: Address
    target: Address
    entries: Sequence[Entry]

    def count_steps(self) -> int:
        """How many steps the work can fall into."""
        return sum(1 + entry.size // PART_SIZE for entry in self.entries)


class _Record:
    """Keeps what became of each file."""

    def __init__(self, route: _Route, progress: Callable[[Progress], object] | None) -> None:
        self._route = route
        self._sizes = {entry.name: entry.size for entry in route.entries}
        self._names: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
        self._progress = Progress(len(self._sizes), sum(self._sizes.values()))
        self._tell = progress

    def add(self, step: Step) -> None:
        """Take note of a step, and tell of it."""
        self._progress.bytes += step.size
        if step.outcome:
            self._progress.files += 1
            self._names[step.outcome].append(step.name)
        if self._tell:
            self._tell(self._progress)

    def report(self) -> Report:
        """Everything noted; a single object under its own name."""
        return Report(
            source=str(self._route.source),
            target=str(self._route.target),
            copied=self._list(Outcome.COPIED),
            unchanged=self._list(Outcome.UNCHANGED),
            missing=self._list(Outcome.MISSING),
            bytes_copied=sum(self._sizes[name] for name in self._names[Outcome.COPIED]),
        )

    def _list(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(sorted(name or self._route.source.name for name in self._names[outcome]))


def _find_route(source: AddressLike, target: AddressLike) -> _Route:
    where, entries = find_entries(parse_address(source))
    goal = parse_address(target)
    if _is_one_object(where):
        return _Route(where, _place_one(where, goal, target), [replace(entry, name="") for entry in entries])
    if isinstance(where, S3Address) and isinstance(goal, Path):
        # Large ones first, so that none is left to the end alone.
        kept = sorted(keep_files(entries), key=lambda entry: -entry.size)
        return _Route(where, goal, kept)
    return _Route(where, goal.as_folder() if isinstance(goal, S3Address) else goal, list(entries))


def _is_one_object(where: Address) -> bool:
    return not (where.is_folder if isinstance(where, S3Address) else where.is_dir())


def _place_one(where: Address, goal: Address, written: AddressLike) -> Address:
    """Where one object goes: into a folder under its own name, or to the very address."""
    if isinstance(goal, S3Address):
        return goal.join(where.name) if goal.is_folder else goal
    is_folder = goal.is_dir() or os.fspath(goal if isinstance(written, S3Address) else written).endswith("/")
    return goal / where.name if is_folder else goal


@contextmanager
def _open_transfer(route: _Route, *, checksum: bool, dry_run: bool) -> Iterator[_Transfer]:
    source, target = route.source, route.target
    if isinstance(target, S3Address):
        existing = _find_existing(target)
        if isinstance(source, S3Address):
            yield BucketCopy(connect(), source, target, existing, checksum=checksum)
        else:
            yield Upload(connect(), source, target, existing, checksum=checksum)
        return
    folder = target.parent if _is_one_object(source) else target
    with nullcontext(Staging(folder)) if dry_run else staging_in(folder) as staging:
        if isinstance(source, S3Address):
            yield Download(connect(), source, target, staging, checksum=checksum)
        else:
            yield FileCopy(source, target, staging, checksum=checksum)


def _find_existing(target: S3Address) -> Mapping[str, Entry]:
    if target.is_folder:
        return {entry.name: entry for entry in list_prefix(target)}
    try:
        return {"": describe_object(target)}
    except MissingObjectError:
        return {}


def _deal_with(transfer: _Transfer, entry: Entry, *, dry_run: bool) -> Step:
    if transfer.is_unchanged(entry):
        return Step(entry.name, entry.size, Outcome.UNCHANGED)
    if dry_run:
        return Step(entry.name, entry.size, Outcome.COPIED)
    try:
        return transfer.copy(entry)
    except MissingObjectError:
        return Step(entry.name, entry.size, Outcome.MISSING)
