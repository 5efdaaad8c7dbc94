"""Replicas of what is at one address at another: only what changed, whole or not at all, checked."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from headrace.data.addresses import Address, AddressLike, parse_address
from headrace.data.bucket_copies import BucketCopy
from headrace.data.checksums import PART_SIZE
from headrace.data.clients import WORKERS, connect
from headrace.data.downloads import Download
from headrace.data.entries import Entry
from headrace.data.errors import AddressError, DataError, KeyRefusedError, MissingObjectError
from headrace.data.failures import conclude, shorten_reason
from headrace.data.file_copies import FileCopy
from headrace.data.listing import describe_object, find_entries, list_prefix
from headrace.data.mirrors import check_mirror, delete, find_surplus, list_own_files
from headrace.data.names import is_file_name, place_of, settle_files, settle_objects
from headrace.data.objects import Objects
from headrace.data.reports import IncompleteError, Progress, Report, Skipped
from headrace.data.staging import Staging, staging_in
from headrace.data.uploads import Upload
from headrace.data.workers import Done, FileOutcome, work_off
from headrace.errors import HeadraceError
from headrace.files import is_stream
from headrace.s3.addresses import S3Address


class _Transfer(Protocol):
    def is_unchanged(self, entry: Entry) -> bool: ...

    def copy(self, entry: Entry) -> Done: ...


def replicate(
    source: AddressLike,
    target: AddressLike,
    *,
    workers: int = WORKERS,
    checksum: bool = False,
    takes: Callable[[str], bool] | None = None,
    mirror: bool = False,
    content_type: str | None = None,
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
        takes: Whether a name is wanted, such as `Patterns.takes`; all others are left alone at both places.
        mirror: Whether to delete at the target what the source has not, after everything has been copied.
        content_type: The one of all objects that are uploaded; by default their names say it.
        dry_run: Whether to report only what would be done.
        progress: Called in the caller's thread with how far it is.

    Raises:
        IncompleteError: At the end, if some could not be copied; nothing is deleted then.
        DataError: At once, if it is one object that cannot be copied, or if all would fail of the same.
    """
    takes = takes or (lambda _: True)
    route = _find_route(source, target, takes)
    if content_type is not None and not route.is_upload:
        raise AddressError("a content type can be set only for uploads from this machine")
    record = _Record(route, progress)
    if mirror:
        check_mirror(route.source, route.target, route.entries, is_single=route.is_single)
    existing = _find_existing(route.target) if isinstance(route.target, S3Address) else {}
    with _open_transfer(route, existing, content_type, checksum=checksum, dry_run=dry_run) as transfer:
        tasks = (partial(_deal_with, transfer, entry, dry_run=dry_run) for entry in route.entries)
        work_off(tasks, min(workers, route.count_steps()), record.add)
    if mirror and not record.errors:
        surplus = find_surplus(_list_target(route.target, existing), route.list_places(), takes)
        record.note(_delete(route.target, surplus, dry_run=dry_run))
    return record.conclude()


@dataclass(frozen=True)
class _Route:
    """What is to be copied from where to where; a single object has an empty name."""

    source: Address
    target: Address
    entries: Sequence[Entry]

    @property
    def is_single(self) -> bool:
        """Whether it is one object."""
        return _is_one_object(self.source)

    @property
    def is_upload(self) -> bool:
        """Whether it leads from this machine to S3."""
        return isinstance(self.source, Path) and isinstance(self.target, S3Address)

    def count_steps(self) -> int:
        """How many tasks the work can fall into."""
        return sum(1 + entry.size // PART_SIZE for entry in self.entries)

    def list_places(self) -> Iterator[str]:
        """The names that the files have at the target."""
        is_folder = isinstance(self.target, Path)
        return (place_of(entry.name) if is_folder else entry.name for entry in self.entries)


class _Record:
    """Keeps what became of each file."""

    def __init__(self, route: _Route, progress: Callable[[Progress], object] | None) -> None:
        self.errors: dict[str, Exception] = {}
        self._route = route
        self._sizes = {entry.name: entry.size for entry in route.entries}
        self._names: dict[FileOutcome, list[str]] = {outcome: [] for outcome in FileOutcome}
        self._progress = Progress(len(self._sizes), sum(self._sizes.values()))
        self._tell = progress

    def add(self, done: Done) -> None:
        """Take note of what was done, and report it."""
        self._progress.bytes += done.size
        if done.outcome:
            self._progress.files += 1
            self.note([done])
        if self._tell:
            self._tell(self._progress)

    def note(self, found: Iterable[Done]) -> None:
        """Take note of what became of files."""
        for done in found:
            if done.outcome:
                self._names[done.outcome].append(done.name)
            if done.error and done.outcome is FileOutcome.SKIPPED:
                self.errors[done.name] = done.error

    def conclude(self) -> Report:
        """Everything noted; a single object under its own name.

        Raises:
            IncompleteError: If something was skipped.
        """
        if self._route.is_single:
            for name, error in self.errors.items():
                is_told = isinstance(error, HeadraceError)
                raise error if is_told else DataError(f"{self._route.target}: {self._find_reason(name)}") from error
        report = Report(
            source=str(self._route.source),
            target=str(self._route.target),
            copied=self._list(FileOutcome.COPIED),
            unchanged=self._list(FileOutcome.UNCHANGED),
            missing=self._list(FileOutcome.MISSING),
            skipped=tuple(Skipped(name, self._find_reason(name)) for name in sorted(self.errors)),
            deleted=self._list(FileOutcome.DELETED),
            bytes_copied=sum(self._sizes[name] for name in self._names[FileOutcome.COPIED]),
        )
        if report.skipped:
            raise IncompleteError(report)
        return report

    def _list(self, outcome: FileOutcome) -> tuple[str, ...]:
        return tuple(sorted(name or self._route.source.name for name in self._names[outcome]))

    def _find_reason(self, name: str) -> str:
        places = (self._route.source, self._route.target)
        subjects = tuple(place.join(name) if isinstance(place, S3Address) else place / name for place in places)
        return shorten_reason(self.errors[name], subjects)


def _find_route(source: AddressLike, target: AddressLike, takes: Callable[[str], bool]) -> _Route:
    goal = parse_address(target)
    where, found = find_entries(parse_address(source))
    listed = list(found)
    entries = [entry for entry in listed if takes(entry.name)]
    if listed and not entries:
        raise MissingObjectError(f"{where} has {len(listed)} files, and none of them matches the patterns")
    if _is_one_object(where):
        return _Route(where, _place_one(where, goal, target), [_as_single(where, entry) for entry in entries])
    if isinstance(goal, Path) and goal.exists() and not goal.is_dir():
        raise DataError(f"{goal} is not a folder, and {where} has {len(entries)} files; name a folder")
    if isinstance(goal, S3Address):
        folder = goal.as_folder()
        return _Route(where, folder, list(settle_objects(entries, folder)))
    if isinstance(where, S3Address):
        # Large ones first, so that none is left to the end alone.
        return _Route(where, goal, sorted(settle_files(entries), key=lambda entry: -entry.size))
    return _Route(where, goal, entries)


def _is_one_object(where: Address) -> bool:
    return not (where.is_folder if isinstance(where, S3Address) else where.is_dir())


def _as_single(where: Address, entry: Entry) -> Entry:
    if entry.problem:
        raise DataError(f"{where}: {entry.problem}")
    return replace(entry, name="")


def _place_one(where: Address, goal: Address, written: AddressLike) -> Address:
    """Where one object goes: into a folder under its own name, or to the very address."""
    if isinstance(goal, S3Address):
        return goal.join(where.name) if goal.is_folder else goal
    if not (goal.is_dir() or os.fspath(goal if isinstance(written, S3Address) else written).endswith("/")):
        return goal
    if not is_file_name(where.name):
        raise KeyRefusedError(f"{where}: its key is not the name of a file; name the file to copy it to")
    return goal / where.name


@contextmanager
def _open_transfer(
    route: _Route, existing: Mapping[str, Entry], content_type: str | None, *, checksum: bool, dry_run: bool
) -> Iterator[_Transfer]:
    source, target = route.source, route.target
    if isinstance(target, S3Address):
        if isinstance(source, S3Address):
            yield BucketCopy(connect(), source, target, existing, checksum=checksum)
        else:
            objects = Objects(connect(), target.bucket, content_type=content_type)
            yield Upload(objects, source, target, existing, checksum=checksum)
        return
    folder = _find_staging(target) if route.is_single else target
    with nullcontext(Staging(folder)) if dry_run else staging_in(folder) as staging:
        if isinstance(source, S3Address):
            yield Download(connect(), source, target, staging, checksum=checksum)
        else:
            yield FileCopy(source, target, staging, checksum=checksum)


def _find_staging(target: Path) -> Path:
    """Where a single file grows; what is written through has no folder to make one beside."""
    return Path(tempfile.gettempdir()) if is_stream(target) else target.parent


def _find_existing(target: S3Address) -> Mapping[str, Entry]:
    if target.is_folder:
        return {entry.name: entry for entry in list_prefix(target)}
    try:
        return {"": describe_object(target)}
    except MissingObjectError:
        return {}


def _list_target(target: Address, existing: Mapping[str, Entry]) -> Iterable[str]:
    return existing if isinstance(target, S3Address) else list_own_files(target)


def _delete(target: Address, names: Sequence[str], *, dry_run: bool) -> Iterable[Done]:
    return (Done(name, outcome=FileOutcome.DELETED) for name in names) if dry_run else delete(target, names)


def _deal_with(transfer: _Transfer, entry: Entry, *, dry_run: bool) -> Done:
    try:
        if entry.problem:
            raise DataError(entry.problem)
        if transfer.is_unchanged(entry):
            return Done(entry.name, entry.size, FileOutcome.UNCHANGED)
        return Done(entry.name, entry.size, FileOutcome.COPIED) if dry_run else transfer.copy(entry)
    except (HeadraceError, OSError) as error:
        return conclude(entry, error)
