"""What a program left in its folders, read without trust.

A program can leave anything where a file is expected: a link to another user's, a pipe without a writer, a device. Only
regular files are opened, folder by folder and without following a link. A link in a folder of results counts as the
file it points to where that lies in the same folder; whatever else is not a file or a folder is left out with a line.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from headrace.local.sagemaker.errors import JobDataError

KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
}


class LeftFileError(JobDataError):
    """Something that is not a file one can read; the text says what it is."""


@dataclass(frozen=True)
class LeftEntry:
    """A file or a folder that a program left.

    Args:
        name: its path below the folder of results.
        source: the path to read it from, another one for a link.
        size_bytes: how large it is; 0 for a folder.
    """

    name: str
    source: str
    size_bytes: int
    is_folder: bool = False


@contextmanager
def open_folder(root: Path, parts: Sequence[str]) -> Iterator[int]:
    """A descriptor of a folder below another; neither that one nor any of the parts may be a link."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parts:
            parent = descriptor
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            os.close(parent)
        yield descriptor
    finally:
        os.close(descriptor)


def open_left_file(root: Path, name: str) -> BinaryIO:
    """Opens a regular file below a folder.

    Raises:
        FileNotFoundError: there is nothing of this name.
        LeftFileError: there is something else, or it cannot be read.
    """
    *parents, last = PurePosixPath(name).parts
    try:
        with open_folder(root, parents) as parent:
            refuse_special(name, os.stat(last, dir_fd=parent, follow_symlinks=False).st_mode)
            descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
            file = os.fdopen(descriptor, "rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LeftFileError(f"{name} cannot be read: {error.strerror}") from error
    # What stood there a moment ago may have been replaced before it was opened.
    refuse_special(name, os.fstat(file.fileno()).st_mode)
    return file


def refuse_special(name: str, mode: int) -> None:
    """Raises LeftFileError unless a mode is that of a regular file."""
    if not stat.S_ISREG(mode):
        raise LeftFileError(f"{name} is {describe_kind(mode)}, not a file")


def describe_kind(mode: int) -> str:
    """What a mode says that something is."""
    return KINDS.get(stat.S_IFMT(mode), "of an unknown kind")


class LeftFolder:
    """A folder that a program wrote its results to.

    Args:
        root: the folder that it is in.
        name: its path below the root.
        note: takes one line for each thing in it that is left out.
        limit_bytes: the most its files may hold together, holes included.
    """

    def __init__(self, root: Path, name: str, note: Callable[[str], None], limit_bytes: int | None = None) -> None:
        self._root = root
        self._parts = PurePosixPath(name).parts
        self._note = note
        self._limit_bytes = limit_bytes

    def list_entries(self) -> list[LeftEntry]:
        """Every file and folder below it, parents first; nothing where the folder is gone."""
        entries = list(self._walk())
        total = sum(entry.size_bytes for entry in entries)
        if self._limit_bytes is not None and total > self._limit_bytes:
            raise LeftFileError(
                f"{'/'.join(self._parts)} holds {total} bytes, more than the {self._limit_bytes} of VolumeSizeInGB"
            )
        return entries

    def open(self, entry: LeftEntry) -> BinaryIO:
        """Opens a file of the list."""
        return open_left_file(self._root, "/".join((*self._parts, entry.source)))

    def _walk(self) -> Iterator[LeftEntry]:
        pending = [""]
        while pending:
            inside = pending.pop()
            for name, status in self._scan(inside):
                entry = self._examine(name, status)
                if isinstance(entry, LeftEntry):
                    yield entry
                    pending += [f"{name}/"] if entry.is_folder else []
                else:
                    self._note(f"{'/'.join((*self._parts, make_printable(name)))} {entry}: not stored")

    def _scan(self, inside: str) -> list[tuple[str, os.stat_result]]:
        try:
            parts = (*self._parts, *PurePosixPath(inside).parts)
            with open_folder(self._root, parts) as folder, os.scandir(folder) as entries:
                found = [(inside + entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LeftFileError(f"{'/'.join(parts)} cannot be read as a folder: {error.strerror}") from error
        return sorted(found, key=lambda pair: pair[0])

    def _examine(self, name: str, status: os.stat_result) -> LeftEntry | str:
        """What to store of an entry, or why nothing."""
        if name != make_printable(name):
            return "has a name that is not UTF-8"
        if stat.S_ISDIR(status.st_mode):
            return LeftEntry(name, name, 0, is_folder=True)
        if stat.S_ISREG(status.st_mode):
            return LeftEntry(name, name, status.st_size)
        return self._follow(name) if stat.S_ISLNK(status.st_mode) else f"is {describe_kind(status.st_mode)}"

    def _follow(self, name: str) -> LeftEntry | str:
        """The file of this folder that a link points to."""
        folder = self._root.resolve().joinpath(*self._parts)
        target = Path(os.path.realpath(folder / name))
        if target.is_relative_to(folder) and target.is_file():
            return LeftEntry(name, target.relative_to(folder).as_posix(), target.stat().st_size)
        return "is a link that does not lead to a file of its folder"


def make_printable(name: str) -> str:
    """A file name with a question mark for each byte that is not UTF-8."""
    return name.encode(errors="replace").decode()
