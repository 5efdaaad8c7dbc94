"""From S3 to a folder."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

from headrace.data.checksums import PART_SIZE, count_parts, hash_bytes, is_same
from headrace.data.clients import Connection
from headrace.data.entries import Entry
from headrace.data.errors import DamagedObjectError
from headrace.data.failures import conclude
from headrace.data.folders import look_at_target
from headrace.data.names import place_of
from headrace.data.objects import Objects
from headrace.data.staging import Staging
from headrace.data.verification import check_content, holds_object
from headrace.data.workers import Done, FileOutcome
from headrace.errors import HeadraceError
from headrace.s3.addresses import S3Address


class Download:
    """Copies objects below a prefix to files below a folder.

    Args:
        source: The prefix.
        target: The folder.
        staging: Where files grow.
        checksum: Whether equal times are not proof that a file holds its object.
    """

    def __init__(
        self, connection: Connection, source: S3Address, target: Path, staging: Staging, *, checksum: bool
    ) -> None:
        self._objects = Objects(connection, source.bucket)
        self._source = source
        self._target = target
        self._staging = staging
        self._checksum = checksum
        self._made: set[str] = set()

    def is_unchanged(self, entry: Entry) -> bool:
        """Whether the file holds the object already: the same size, and the same time or content."""
        file = self._target / place_of(entry.name)
        status = look_at_target(file)
        if status is None or status.st_size != entry.size:
            return False
        if not self._checksum and status.st_mtime_ns // 1_000_000 == entry.modified:
            return True
        return holds_object(self._objects.client, file, self._source.join(entry.name), entry.etag)

    def copy(self, entry: Entry) -> Done:
        """Copy an object, or the parts of a large one in their own tasks."""
        file = self._target / place_of(entry.name)
        self._make_folder_of(place_of(entry.name))
        if entry.size > 2 * PART_SIZE:
            return self._split(entry)
        content = self._read(entry)
        staged = self._staging.write_file(content, entry.modified)
        self._check(entry, content, staged)
        self._staging.publish(staged, file)
        return Done(entry.name, entry.size, FileOutcome.COPIED)

    def _make_folder_of(self, name: str) -> None:
        folder, _, _ = name.rpartition("/")
        if folder not in self._made:
            (self._target / name).parent.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _read(self, entry: Entry) -> memoryview:
        address = self._source.join(entry.name)
        content, _ = self._objects.read(address, etag=entry.etag)
        if len(content) != entry.size:
            raise _cut_off(address, entry.size, len(content))
        return content

    def _check(self, entry: Entry, content: memoryview, staged: Path) -> None:
        """Hash what is in memory where that is enough."""
        address = self._source.join(entry.name)
        if count_parts(entry.etag) != 0 or not is_same(hash_bytes(content), entry.etag):
            check_content(self._objects.client, staged, address, entry.etag)

    def _split(self, entry: Entry) -> Done:
        staged = self._staging.new_file()
        staged.touch()
        parts = _Parts(entry, self._source.join(entry.name), self._objects, staged, self._finish)
        return Done(entry.name, more=parts.tasks())

    def _finish(self, entry: Entry, staged: Path) -> None:
        check_content(self._objects.client, staged, self._source.join(entry.name), entry.etag)
        self._staging.publish(staged, self._target / place_of(entry.name), entry.modified)


class _Parts:
    """The parts of one large object, read side by side into one file."""

    def __init__(
        self, entry: Entry, address: S3Address, objects: Objects, staged: Path, finish: Callable[[Entry, Path], None]
    ) -> None:
        self._entry = entry
        self._address = address
        self._objects = objects
        self._staged = staged
        self._finish = finish
        self._starts = range(0, entry.size, PART_SIZE)
        self._left = len(self._starts)
        self._failure: Exception | None = None
        self._lock = Lock()

    def tasks(self) -> Sequence[Callable[[], Done]]:
        """A task for each part; the one that ends last puts the file in its place."""
        return [partial(self._copy, start) for start in self._starts]

    def _copy(self, start: int) -> Done:
        end = min(start + PART_SIZE, self._entry.size)
        try:
            if not self._failure:
                self._read(start, end)
        except (HeadraceError, OSError) as error:
            self._failure = error
        return self._count_down(Done(self._entry.name, end - start))

    def _read(self, start: int, end: int) -> None:
        position = start
        # Parts of two versions of an object must not meet in one file.
        chunks = self._objects.stream(self._address, etag=self._entry.etag, span=(start, end))
        with self._staged.open("r+b", buffering=0) as file:
            for chunk in chunks:
                position += os.pwrite(file.fileno(), chunk, position)
        if position != end:
            raise _cut_off(self._address, end - start, position - start)

    def _count_down(self, done: Done) -> Done:
        """What was done of a part; the last one says what became of the file."""
        with self._lock:
            self._left -= 1
            if self._left:
                return done
        try:
            if self._failure:
                raise self._failure
            self._finish(self._entry, self._staged)
        except (HeadraceError, OSError) as error:
            self._staged.unlink(missing_ok=True)
            return replace(conclude(self._entry, error), size=done.size)
        return replace(done, outcome=FileOutcome.COPIED)


def _cut_off(address: S3Address, expected: int, found: int) -> DamagedObjectError:
    return DamagedObjectError(f"{address} arrived with {found:,} of {expected:,} bytes; copy it again")
