"""From one folder of this machine to another."""

import shutil
from pathlib import Path

from headrace.data.checksums import hash_file
from headrace.data.entries import Entry
from headrace.data.errors import DamagedObjectError
from headrace.data.folders import look_at_target
from headrace.data.staging import Staging
from headrace.data.workers import Done, FileOutcome


class FileCopy:
    """Copies files below a folder to files below another.

    Args:
        source: The one folder.
        target: The other.
        staging: Where files grow.
        checksum: Whether equal times are not proof of equal content.
    """

    def __init__(self, source: Path, target: Path, staging: Staging, *, checksum: bool) -> None:
        self._source = source
        self._target = target
        self._staging = staging
        self._checksum = checksum

    def is_unchanged(self, entry: Entry) -> bool:
        """Whether the target has the file already: the same size, and the same time or content."""
        source, target = self._source / entry.name, self._target / entry.name
        status = look_at_target(target)
        if status is None or status.st_size != entry.size:
            return False
        if not self._checksum and status.st_mtime_ns // 1_000_000 == entry.modified:
            return True
        return hash_file(source) == hash_file(target)

    def copy(self, entry: Entry) -> Done:
        """Copy a file."""
        source, target = self._source / entry.name, self._target / entry.name
        if not source.exists():
            return Done(entry.name, entry.size, FileOutcome.MISSING)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = self._staging.new_file()
        shutil.copyfile(source, staged)
        if staged.stat().st_size != entry.size:
            raise DamagedObjectError(f"{source} changed while it was being copied; copy it again")
        self._staging.publish(staged, target, entry.modified)
        return Done(entry.name, entry.size, FileOutcome.COPIED)
