"""The one way to read a file that a caller names: it ends, it can be interrupted, and it may be a pipe."""

import errno
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from headrace.errors import HeadraceError, naming
from headrace.files import find_descriptor, is_stream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_LINE_BYTES: Final = 64 << 20
MOST_DOCUMENT_BYTES: Final = 2 << 30
_BUFFER: Final = 1 << 18
# What stands for an input that can be read only once, while it is read more often.
_copies: dict[Path, Path] = {}


class InputError(OSError):
    """Something that is not a file to read, or a line that is too long; says so as the system's own errors do."""


class _Input(io.FileIO):
    """A file whose errors have its name."""

    def __init__(self, opened: int, path: Path) -> None:
        super().__init__(opened, "rb")
        self._path = path

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            error.filename = str(self._path)
            raise

    def readall(self) -> bytes:
        # The built-in one hears no Ctrl-C while there is something to read.
        return b"".join(iter(lambda: self.read(_BUFFER) or b"", b""))


def open_input(path: Path) -> io.BufferedReader:
    """A file, pipe or open descriptor (`/dev/stdin`) to read; one that is being written may keep us waiting.

    Raises:
        OSError: there is none, or it is a folder, a socket or a device, some of which never end.
    """
    place = _copies.get(path, path)
    descriptor = find_descriptor(place)
    _refuse_kind(path, place.stat() if descriptor is None else os.fstat(descriptor), descriptor)
    opened = os.open(place, os.O_RDONLY | os.O_NOCTTY) if descriptor is None else os.dup(descriptor)
    return io.BufferedReader(_Input(opened, path), _BUFFER)


def open_regular(path: Path) -> io.BufferedReader:
    """A file among many, such as an image of a folder, which cannot be meant to be a pipe."""
    if is_stream(path):
        raise InputError(errno.EINVAL, "is not a regular file; leave it out", str(path))
    return open_input(path)


def read_lines(file: IO[bytes], most_bytes: int = MOST_LINE_BYTES) -> Iterator[bytes]:
    """The lines of a file; one that is longer than any is meant to be would fill the memory, and is refused."""
    number = 0
    while line := file.readline(most_bytes + 1):
        number += 1
        if len(line) > most_bytes:
            raise InputError(errno.EMSGSIZE, f"line {number} is longer than {most_bytes >> 20} MiB; is it text?")
        yield line


def read_text_lines(file: IO[bytes]) -> Iterator[str]:
    """The lines of UTF-8 text, with or without a byte order mark, each with a line feed at its end."""
    for number, raw in enumerate(read_lines(file)):
        line = raw.decode("utf-8" if number else "utf-8-sig")
        yield from io.StringIO(line, newline=None) if "\r" in line else (line,)


def read_document(path: Path) -> bytes:
    """A file that is used as a whole."""
    with open_input(path) as file:
        content = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(content) > MOST_DOCUMENT_BYTES:
        raise InputError(errno.EFBIG, f"is larger than {MOST_DOCUMENT_BYTES >> 30} GiB; divide it", str(path))
    return content


@contextmanager
def naming_text(path: Path, mistake: type[HeadraceError]) -> Iterator[None]:
    """Report what keeps a text file from being read as a format's own error, with the file's name.

    Args:
        path: The file.
        mistake: The error of its format.
    """
    with naming(path, mistake):
        try:
            yield
        except UnicodeDecodeError as error:
            raise mistake(f"{path}: not UTF-8; save the file as UTF-8") from error


@contextmanager
def rereadable(path: Path) -> Iterator[Path]:
    """Let what reads an input twice, or by its own library, do so: a path to a regular file of what it holds.

    While the block lasts, `open_input` gives that for the input's own name, too, which errors then have.
    """
    if path in _copies or not is_stream(path):
        yield _copies.get(path, path)
        return
    with tempfile.TemporaryDirectory(prefix="headrace-input-") as folder:
        copy = Path(folder, "copy")
        _copy(path, copy)
        _copies[path] = copy
        try:
            yield copy
        finally:
            del _copies[path]


def _copy(path: Path, copy: Path) -> None:
    try:
        with open_input(path) as file, copy.open("wb") as spool:
            shutil.copyfileobj(file, spool, _BUFFER)
    except OSError as error:
        if error.filename is not None:
            raise
        reason = f"{error.strerror}: it is read more than once and its copy needs room in {copy.parent.parent}"
        raise InputError(error.errno, f"{reason}; make some or set TMPDIR", str(path)) from error


def _refuse_kind(path: Path, status: os.stat_result, descriptor: int | None) -> None:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise InputError(errno.EISDIR, "is a folder; name a file", str(path))
    if stat.S_ISSOCK(mode) and descriptor is None:
        raise InputError(errno.ENXIO, "is a socket; name a file", str(path))
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not _is_harmless(path, status)):
        raise InputError(errno.EINVAL, "is a device; name a file", str(path))


def _is_harmless(path: Path, status: os.stat_result) -> bool:
    """Whether a device is a terminal, whose person ends it, or the one that is empty."""
    return status.st_rdev == Path(os.devnull).stat().st_rdev or _is_terminal(path)


def _is_terminal(path: Path) -> bool:
    descriptor = find_descriptor(path)
    if descriptor is not None:
        return os.isatty(descriptor)
    opened = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return os.isatty(opened)
    finally:
        os.close(opened)
