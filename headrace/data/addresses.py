"""Where data is: an object or a prefix in S3, or a path of this machine."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.data.errors import AddressError

SCHEME: Final = "s3://"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket and a key in it, or the prefix of keys."""

    bucket: str
    key: str

    @property
    def is_folder(self) -> bool:
        """Whether it is written as a folder: the whole bucket, or with a slash at the end."""
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rstrip("/").rpartition("/")[2]

    def as_folder(self) -> "S3Address":
        """The same with a slash at the end."""
        return self if self.is_folder else S3Address(self.bucket, f"{self.key}/")

    def join(self, name: str) -> "S3Address":
        """A key that goes on with a name."""
        return S3Address(self.bucket, self.key + name)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


Address = S3Address | Path
AddressLike = str | os.PathLike[str] | S3Address


def parse_address(text: AddressLike) -> Address:
    """The place that `s3://bucket/key` or a path names.

    Raises:
        AddressError: If it is neither.

    Example:
        >>> parse_address("s3://raw/images/train/")
        S3Address(bucket='raw', key='images/train/')
    """
    if isinstance(text, S3Address):
        return text
    written = os.fspath(text)
    if not written.startswith(SCHEME):
        if "://" in written or not written:
            raise AddressError(f"{written!r} is not an address of data; write s3://bucket/key or a path")
        return Path(written)
    bucket, _, key = written.removeprefix(SCHEME).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise AddressError(
            f"{written!r} names no bucket; write s3://bucket/key, with an access point's alias in the bucket's place"
        )
    return S3Address(bucket, key)
