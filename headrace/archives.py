"""Reading tar archives that somebody else has made; standard library only."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

# Extended headers hold long names, which are a few kilobytes at most.
LARGEST_PIECE: Final = 1024 * 1024


class ArchiveError(Exception):
    """An archive that is damaged, too large or holds what an archive of data must not."""


class HeaderGuard(io.RawIOBase):
    """An unpacked tar that is only read in moderate pieces.

    tarfile reads a member's content bit by bit, but its extended headers as a whole, whatever size they claim.
    """

    def __init__(self, content: gzip.GzipFile) -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, unless too many are wanted at once."""
        if not 0 <= size <= LARGEST_PIECE:
            raise ArchiveError(f"it has a header of more than {LARGEST_PIECE} bytes")
        return self._content.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """The new position."""
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._content.tell()


@contextmanager
def open_archive(content: BinaryIO) -> Iterator[tarfile.TarFile]:
    """A tar.gz that is read once, from its beginning to its end.

    Raises:
        ArchiveError: If it is not one, wherever in it that shows.
    """
    try:
        with (
            gzip.GzipFile(fileobj=content, mode="rb") as unpacked,
            tarfile.open(fileobj=cast("BinaryIO", HeaderGuard(unpacked)), mode="r:") as tar,
        ):
            yield tar
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise ArchiveError(f"it is not a readable tar.gz archive: {error}") from error


def refuse_unsafe_member(member: tarfile.TarInfo) -> None:
    """Raises ArchiveError for links, devices and names that lead elsewhere."""
    if not (member.isfile() or member.isdir()):
        raise ArchiveError(f'member "{member.name}" is neither a file nor a folder')
    if member.size < 0:
        raise ArchiveError(f'member "{member.name}" has a negative size')
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ArchiveError(f'member "{member.name}" leads out of the folder')
