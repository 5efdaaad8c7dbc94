"""Single objects: as bytes, as a stream that reads only what is asked for, as a temporary file."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from headrace.data.addresses import AddressLike, parse_address
from headrace.data.checksums import MIB, count_parts, hash_bytes
from headrace.data.clients import connect
from headrace.data.errors import AddressError, DamagedObjectError
from headrace.data.listing import describe_object
from headrace.data.names import is_file_name
from headrace.data.objects import Objects
from headrace.data.replication import replicate
from headrace.data.verification import check_answer
from headrace.files import whole_file
from headrace.s3.addresses import S3Address

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FIRST_READ: Final = MIB // 4
LARGEST_READ: Final = 16 * MIB


def open_object(address: AddressLike) -> BinaryIO:
    """An object as a binary file that can seek; it fetches only the ranges that are read.

    Read in order, it fetches larger and larger ranges ahead. An object that is replaced meanwhile is noticed.

    Args:
        address: `s3://bucket/key` or a path.

    Raises:
        MissingObjectError: If there is none.
    """
    where = parse_address(address)
    if isinstance(where, Path):
        return where.open("rb")
    return io.BufferedReader(_ObjectReader(_with_key(where)))


def read_bytes(address: AddressLike) -> bytes:
    """The content of an object.

    Raises:
        MissingObjectError: If there is none.
    """
    where = parse_address(address)
    if isinstance(where, Path):
        return where.read_bytes()
    objects = Objects(connect(), _with_key(where).bucket)
    content, etag = objects.read(where)
    if count_parts(etag) == 0:
        check_answer(objects.client, where, sent=hash_bytes(content), stored=etag, size=len(content))
    return bytes(content)


def write_bytes(address: AddressLike, content: bytes) -> None:
    """Store content as an object, over what is there: at once, or not at all."""
    where = parse_address(address)
    if isinstance(where, S3Address):
        Objects(connect(), _with_key(where).bucket).store(where, content)
        return
    with whole_file(where) as partial:
        partial.write_bytes(content)


@contextmanager
def temporary_file(address: AddressLike) -> Iterator[Path]:
    """A path at which an object can be read as a file, under its own name, as long as the context lasts.

    A path of this machine is given back as it is: read from it only.

    Raises:
        MissingObjectError: If there is none.

    Example:
        with temporary_file("s3://raw/signals/heart.mat") as path:
            signals = scipy.io.loadmat(path)
    """
    where = parse_address(address)
    if isinstance(where, Path):
        yield where
        return
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        name = _with_key(where).name
        path = Path(folder, name if is_file_name(name) else "object")
        replicate(where, path)
        yield path


class _ObjectReader(io.RawIOBase):
    """The object of one ETag, read by ranges."""

    def __init__(self, address: S3Address) -> None:
        super().__init__()
        found = describe_object(address)
        self._address = address
        self._objects = Objects(connect(), address.bucket)
        self._size, self._etag = found.size, found.etag
        self._position = 0
        self._block, self._block_start = memoryview(b""), 0
        self._ahead = FIRST_READ

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"{self._address} has no position {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        target = memoryview(buffer).cast("B")
        content = self._take(len(target))
        target[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        content = bytes(self._fetch(self._position, self._size)) if self._position < self._size else b""
        self._position += len(content)
        return content

    def _take(self, wanted: int) -> memoryview:
        """The next bytes: as many as wanted, or as the block at hand has."""
        offset = self._position - self._block_start
        if not 0 <= offset < len(self._block):
            self._read_ahead(wanted)
            offset = 0
        content = self._block[offset : offset + wanted]
        self._position += len(content)
        return content

    def _read_ahead(self, wanted: int) -> None:
        goes_on = self._block and self._position == self._block_start + len(self._block)
        self._ahead = min(2 * self._ahead, LARGEST_READ) if goes_on else FIRST_READ
        end = min(self._position + max(wanted, self._ahead), self._size)
        self._block = self._fetch(self._position, end) if self._position < end else memoryview(b"")
        self._block_start = self._position

    def _fetch(self, start: int, end: int) -> memoryview:
        content, _ = self._objects.read(self._address, etag=self._etag, span=(start, end))
        if len(content) != end - start:
            raise DamagedObjectError(
                f"{self._address} arrived with {len(content):,} of {end - start:,} bytes; try again"
            )
        return content


def _with_key(address: S3Address) -> S3Address:
    if not address.key:
        raise AddressError(f"{address} names a bucket, not an object; write s3://bucket/key")
    return address
