"""Files that appear whole or not at all: written aside, then put in their place at once."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from headrace.data.folders import STAGING
from headrace.files import put_in_place

_LOCK: Final = "lock"
_NEW_LOCK: Final = "new-lock"


class Staging:
    """A folder on the target's own file system for what is not whole yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def new_file(self) -> Path:
        """The path of a file that does not exist yet."""
        return self._folder / str(next(self._numbers))

    def write_file(self, content: memoryview, modified: int) -> Path:
        """Write a new file.

        With as few calls as there can be: after each, a thread waits for the interpreter among all the others.

        Args:
            content: All of it.
            modified: The time of last writing that it is to have, in milliseconds since 1970.
        """
        path = self.new_file()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.utime(descriptor, ns=_as_times(modified))
        finally:
            os.close(descriptor)
        return path

    def publish(self, staged: Path, target: Path, modified: int | None = None) -> None:
        """Put a file in its place, over what is there.

        Args:
            staged: The file, written and closed.
            target: Its place.
            modified: The time of last writing that it is to have, in milliseconds since 1970.
        """
        if modified is not None:
            os.utime(staged, ns=_as_times(modified))
        put_in_place(staged, target)


def _as_times(modified: int) -> tuple[int, int]:
    """What `os.utime` takes for both of a file's times."""
    return modified * 1_000_000, modified * 1_000_000


@contextmanager
def staging_in(folder: Path) -> Iterator[Staging]:
    """A place for unfinished files inside a folder; gone at the end, and so are those that killed runs left."""
    everyones = folder / STAGING
    _remove_abandoned(everyones)
    own = _make_folder(everyones)
    with (own / _NEW_LOCK).open("w") as lock:
        _hold(lock.fileno())
        # Other runs look for this name, and remove the folder if its lock is not held.
        (own / _NEW_LOCK).rename(own / _LOCK)
        try:
            yield Staging(own)
        finally:
            shutil.rmtree(own, ignore_errors=True)
            _remove_if_empty(everyones)


def _make_folder(everyones: Path) -> Path:
    """A new folder among those of all runs; the last of them to end removes the folder around it."""
    while True:
        everyones.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return Path(tempfile.mkdtemp(dir=everyones))


def _remove_abandoned(everyones: Path) -> None:
    """Remove the folders whose run has ended, and with it the hold on their lock."""
    for lock_file in everyones.glob(f"*/{_LOCK}"):
        with suppress(FileNotFoundError), lock_file.open("r+") as lock:
            if _hold(lock.fileno()):
                shutil.rmtree(lock_file.parent, ignore_errors=True)


def _hold(descriptor: int) -> bool:
    """Whether the lock is this process's now; never where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
