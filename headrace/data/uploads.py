"""From a folder to S3."""

from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from headrace.data.checksums import PART_SIZE, choose_part_size
from headrace.data.entries import Entry
from headrace.data.objects import Objects
from headrace.data.verification import holds_object
from headrace.data.workers import Done, FileOutcome
from headrace.s3.addresses import S3Address

# Each sends several parts at once and keeps them in memory.
_LARGE_AT_ONCE: Final = 4
# Milliseconds: S3 gives whole seconds, and a file system its own clock's.
_TICK: Final = 1_000


class Upload:
    """Copies files below a folder to objects below a prefix.

    Args:
        objects: The bucket's.
        source: The folder.
        target: The prefix.
        existing: What is there already, by name.
        checksum: Whether only equal content makes a file unchanged.
    """

    def __init__(
        self, objects: Objects, source: Path, target: S3Address, existing: Mapping[str, Entry], *, checksum: bool
    ) -> None:
        self._objects = objects
        self._source = source
        self._target = target
        self._existing = existing
        self._checksum = checksum
        self._large = BoundedSemaphore(_LARGE_AT_ONCE)

    def is_unchanged(self, entry: Entry) -> bool:
        """Whether the object holds the file already: the same size, and written later or the same content."""
        stored = self._existing.get(entry.name)
        if stored is None or stored.size != entry.size:
            return False
        file = self._source / entry.name
        if not self._checksum and max(entry.modified, _find_arrival(file)) + _TICK < stored.modified:
            return True
        return holds_object(self._objects.client, file, self._target.join(entry.name), stored.etag)

    def copy(self, entry: Entry) -> Done:
        """Store a file."""
        file, address = self._source / entry.name, self._target.join(entry.name)
        if not file.exists():
            return Done(entry.name, entry.size, FileOutcome.MISSING)
        if entry.size <= 2 * PART_SIZE:
            self._objects.store(address, file.read_bytes())
        else:
            with self._large:
                self._objects.store_file(address, file, choose_part_size(file.stat().st_size))
        return Done(entry.name, entry.size, FileOutcome.COPIED)


def _find_arrival(file: Path) -> int:
    """When a file came to its place, in milliseconds: what is moved there keeps its time of last writing."""
    return file.stat().st_ctime_ns // 1_000_000
