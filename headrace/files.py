"""The one way to write a file or a folder: whole or not at all, in the place that its name means.

A file grows under its own name beside its place, so that writers of one file never mix, and takes its name once
it is whole. A link stays a link, its file keeps owner, group, mode and attributes. What is not a regular file (a
device, a pipe, `/dev/stdout`) is written through, from what is whole by then.
"""

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, Final

from headrace.errors import HeadraceError, explain_os_error, naming

STANDARD_OUTPUT_NUMBER: Final = 1
_SHOWN_CHARACTERS: Final = 40
_DESCRIPTORS: Final = ("/dev/fd", "/proc/self/fd")
_MOST_LINKS: Final = 40
_CHUNK: Final = 1 << 20
_PARTIAL: Final = ".partial"


class FileError(HeadraceError):
    """A file that cannot be written; the message says which and why."""


class Partial:
    """A file that is being written, at `path`, until it takes its place.

    Args:
        target: Its place, as a user names it.
        ending: What its own name ends with.
    """

    def __init__(self, target: Path, ending: str = _PARTIAL) -> None:
        self.target = target
        with naming(target, FileError):
            self.status = _look_at(target)
            self.is_stream = is_stream(target)
            place = Path(tempfile.gettempdir(), target.name) if self.is_stream else target.resolve()
        self._place = place
        self._made_folders: list[Path] = []
        self.path = place.with_name(f".{place.name[:_SHOWN_CHARACTERS]}.{secrets.token_hex(8)}{ending}")

    def create(self) -> None:
        """Make the file, with the mode of what it takes the place of, and the folders that it lies in."""
        with naming(self.target, FileError):
            _refuse_target(self.target, self.status)
            self._made_folders = _make_folders(self._place.parent)
            mode = 0o600 if self.is_stream else stat.S_IMODE(self.status.st_mode) | 0o600 if self.status else 0o666
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777))

    def publish(self) -> None:
        """Put the file in its place."""
        with naming(self.target, FileError):
            put_in_place(self.path, self.target)
        self._made_folders.clear()

    def discard(self) -> None:
        """Leave nothing behind of what has not been published."""
        self.path.unlink(missing_ok=True)
        for folder in self._made_folders:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def whole_file(target: Path, ending: str = _PARTIAL) -> Iterator[Path]:
    """Give a path to write to; what is there takes its place once the block ends without an exception.

    Args:
        target: The place.
        ending: What the path ends with until then.

    Raises:
        FileError: it cannot be written; nothing is left behind.
    """
    with whole_files(target, ending=ending) as (path,):
        yield path


@contextmanager
def whole_files(*targets: Path, ending: str = _PARTIAL) -> Iterator[tuple[Path, ...]]:
    """Give paths to write to; what is there takes its places once the block ends without an exception.

    Args:
        targets: The places.
        ending: What the paths end with until then.

    Raises:
        FileError: one cannot be written, or two are the same file; nothing is left behind.
    """
    refuse_shared(*targets)
    with ExitStack() as discarded:
        partials = [Partial(target, ending) for target in targets]
        for partial in partials:
            # Before it is there, so that no signal comes between.
            discarded.callback(partial.discard)
            partial.create()
        try:
            yield tuple(partial.path for partial in partials)
        except OSError as error:
            if named := _name_error(error, partials):
                raise named from error
            raise
        # A stream may still refuse, and then the files must not have changed.
        for partial in sorted(partials, key=lambda partial: not partial.is_stream):
            partial.publish()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes its name once the block ends without an exception.

    Raises:
        FileError: there is something of that name; nothing is left behind.
    """
    with naming(folder, FileError):
        _refuse_present(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=f".{folder.name[:_SHOWN_CHARACTERS]}.", dir=folder.parent)
    with scratch as place:
        # A temporary folder itself is its maker's alone.
        partial = Path(place, "whole")
        partial.mkdir()
        yield partial
        with naming(folder, FileError):
            # Another program may have been faster, which the system would call "Directory not empty".
            _refuse_present(folder)
            partial.rename(folder)


def put_in_place(written: Path, target: Path) -> None:
    """Move a finished file to where a name leads, which keeps what it is: a link, a device, its owner and mode."""
    is_new = not os.path.lexists(target) and find_descriptor(target) is None
    status = None if is_new else _look_at(target)
    if not is_new and is_stream(target):
        _write_through(written, target)
        written.unlink()
        return
    place = target.resolve() if not is_new and target.is_symlink() else target
    if status:
        _dress_as(written, place, status)
    try:
        written.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with whole_file(place) as partial:
            shutil.copy2(written, partial)
        written.unlink()


def refuse_shared(*targets: Path) -> None:
    """Refuse two outputs that are one file, by whatever names."""
    seen: dict[object, Path] = {}
    for target in targets:
        with naming(target, FileError):
            other = seen.setdefault(identify(target) or object(), target)
        if other is not target:
            raise FileError(f"{other} and {target} are the same file; give each output its own file")


def refuse_overwriting(target: Path, *sources: Path) -> None:
    """Refuse an output that is one of the inputs, where it would be something else than that."""
    with naming(target, FileError):
        place = identify(target)
        if place and any(identify(source) == place for source in sources):
            raise FileError(f"{target} is an input; write to another file")


def identify(path: Path) -> object:
    """What is equal for all names of a file; None for a device, which many may write to."""
    status = _look_at(path)
    if status is None:
        return path.resolve()
    return None if stat.S_ISCHR(status.st_mode) else (status.st_dev, status.st_ino)


def is_stream(path: Path) -> bool:
    """Whether a name stands for what is written or read as it comes: an open descriptor, a pipe, a device."""
    status = _look_at(path)
    is_file = status is None or stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return not is_file or find_descriptor(path) is not None


def find_descriptor(path: Path) -> int | None:
    """The open descriptor that a name such as `/dev/stdout` or `/dev/fd/63` stands for."""
    for _ in range(_MOST_LINKS):
        if path.name.isdecimal() and os.path.realpath(path.parent) in map(os.path.realpath, _DESCRIPTORS):
            return int(path.name)
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return None


def _look_at(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _refuse_target(target: Path, status: os.stat_result | None) -> None:
    if status and stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file")
    if status and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "is write-protected; name another file")


def _refuse_present(folder: Path) -> None:
    # Links that lead nowhere are there, too, and a name that is too long fails here, before any work.
    with suppress(FileNotFoundError):
        folder.lstat()
        raise FileError(f"{folder} is already there; remove it or choose another folder")


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those it lies in; those made, the innermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _dress_as(written: Path, place: Path, status: os.stat_result) -> None:
    """Give a file the owner, the attributes (access lists, too) and the mode of the one whose place it takes."""
    with suppress(PermissionError):
        os.chown(written, -1, status.st_gid)
        os.chown(written, status.st_uid, -1)
    for name in os.listxattr(place) if hasattr(os, "listxattr") else ():
        with suppress(OSError):
            os.setxattr(written, name, os.getxattr(place, name))
    written.chmod(stat.S_IMODE(status.st_mode) & 0o777)


def _write_through(written: Path, target: Path) -> None:
    with written.open("rb") as content, _open_stream(target) as stream:
        shutil.copyfileobj(content, stream, _CHUNK)
        stream.flush()


def _open_stream(target: Path) -> AbstractContextManager[BinaryIO]:
    descriptor = find_descriptor(target)
    if descriptor == STANDARD_OUTPUT_NUMBER and hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        return nullcontext(sys.stdout.buffer)
    opened = os.open(target, os.O_WRONLY | os.O_NOCTTY) if descriptor is None else os.dup(descriptor)
    return os.fdopen(opened, "wb")


def _name_error(error: OSError, partials: list[Partial]) -> FileError | None:
    """The error of a block that writes, with the name of the output; None if it is not about one."""
    if error.filename is None:
        return FileError(explain_os_error(error, " and ".join(str(partial.target) for partial in partials)))
    for partial in partials:
        if str(partial.path) == str(error.filename):
            return FileError(explain_os_error(error, partial.target))
    return None
