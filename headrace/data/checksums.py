"""What S3's ETags say about content.

The ETag of an object stored in one piece is the MD5 of its content; of one stored in parts, the MD5 of the parts' MD5s
and a dash and their number. Objects encrypted with a KMS key or a customer's have ETags that say nothing.
"""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

MIB: Final = 1024 * 1024
PART_SIZE: Final = 8 * MIB
MOST_PARTS: Final = 10_000
# What the AWS CLI, boto3, rclone, s5cmd, the console and others cut objects into.
USUAL_PART_SIZES: Final = tuple(size * MIB for size in (8, 16, 5, 50, 64, 15, 10, 32, 100, 128))

_ETAG: Final = re.compile(r'"?([0-9a-f]{32})(?:-([0-9]+))?"?')
_READ_SIZE: Final = MIB
# An ETag is not a protection against forgery, only against accidents.
_new_md5: Final = partial(hashlib.md5, usedforsecurity=False)


def count_parts(etag: str) -> int | None:
    """How many parts an object was stored in; 0 for one piece, None where the ETag has another form.

    Example:
        >>> count_parts('"098cd5b2ce0d2b7ad33ed1b733a365e1-3"')
        3
    """
    found = _ETAG.fullmatch(etag)
    return int(found[2] or 0) if found else None


def hash_bytes(content: bytes | memoryview) -> str:
    """The ETag of content stored in one piece."""
    return _new_md5(content).hexdigest()


def hash_file(path: Path, part_size: int | None = None) -> str:
    """The ETag of a file stored in one piece, or in parts of one size."""
    with path.open("rb") as file:
        if part_size is None:
            return hashlib.file_digest(file, _new_md5).hexdigest()
        digests = []
        while digest := _hash_part(file, part_size):
            digests.append(digest)
    return f"{_new_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def choose_part_size(size: int) -> int:
    """The size of the parts that something is stored in: as small as S3's limit on their number allows."""
    part_size = PART_SIZE
    while part_size * MOST_PARTS < size:
        part_size *= 2
    return part_size


def fit_part_sizes(size: int, parts: int) -> list[int]:
    """The usual part sizes that cut a size into this many parts."""
    return [usual for usual in USUAL_PART_SIZES if -(-size // usual) == parts]


def is_same(etag: str, other: str) -> bool:
    """Whether two ETags are equal, quoted or not."""
    return etag.strip('"') == other.strip('"')


def _hash_part(file: BinaryIO, size: int) -> bytes:
    """The MD5 of the next part; empty at the end of the file."""
    digest, left = _new_md5(), size
    while left and (content := file.read(min(left, _READ_SIZE))):
        digest.update(content)
        left -= len(content)
    return digest.digest() if left < size else b""
