"""The one S3 address: a bucket and a key in it, or the prefix of keys. Standard library only: containers carry it.

A bucket's name may have capitals and underscores, and up to 255 characters: such a bucket can no longer be made, but
those made in us-east-1 before March 2018 still hold data, and S3 and SageMaker read them. An access point stands in the
bucket's place by its alias, which every service takes, and not by its ARN, which has a slash and which few take.
"""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from headrace.errors import HeadraceError

SCHEME: Final = "s3://"
_BUCKET: Final = r"(?!\d+(?:\.\d+){3}(?:/|\Z))[A-Za-z0-9][A-Za-z0-9._-]{2,254}"
_ADDRESS: Final = re.compile(rf"{SCHEME}({_BUCKET})(?:/(.*))?", re.DOTALL)
_HTTPS: Final = re.compile(
    r"https://(?:(?P<bucket>[^/]+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?(?:/.*)?", re.DOTALL
)


class S3AddressError(HeadraceError, ValueError):
    """A text that is not an address in S3.

    Args:
        text: What was written.
        reason: What is wrong with it, beyond that.
    """

    remedy: Final = "write s3://bucket/key"

    def __init__(self, text: str, reason: str = "") -> None:
        self.reason = "is not an address in S3" + (f": {reason}" if reason else "")
        super().__init__(f"{text!r} {self.reason}; {self.remedy}")


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket and a key in it, or the prefix of keys."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that `s3://bucket/key` names.

        Raises:
            S3AddressError: If it names none.

        Example:
            >>> S3Address.parse("s3://raw/images/train/")
            S3Address(bucket='raw', key='images/train/')
        """
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise S3AddressError(text, _find_mistake(text))
        return cls(found[1], found[2] or "")

    @classmethod
    def parse_uri(cls, text: str) -> Self:
        """The address that SageMaker's API takes: `s3://bucket/key`, or one of S3's own https addresses.

        Raises:
            S3AddressError: If it names none.
        """
        found = _HTTPS.fullmatch(text)
        if not found:
            return cls.parse(text)
        parts = urlsplit(text)
        if parts.query or parts.fragment:
            raise S3AddressError(text, "only an object's newest version has an address here, without '?' and '#'")
        path = unquote(parts.path).removeprefix("/")
        return cls.parse(f"{SCHEME}{found['bucket']}/{path}" if found["bucket"] else f"{SCHEME}{path}")

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

    def contains(self, other: "S3Address") -> bool:
        """Whether another address starts with this prefix."""
        return self.bucket == other.bucket and other.key.startswith(self.key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


def names_object(text: str) -> bool:
    """Whether a text is the address of an object, not of a bucket or a folder.

    Example:
        >>> names_object("s3://raw/1.jpg"), names_object("s3://raw/")
        (True, False)
    """
    found = _ADDRESS.fullmatch(text)
    return bool(found and found[2] and not found[2].endswith("/"))


def _find_mistake(text: str) -> str:
    if not text.startswith(SCHEME):
        return ""
    bucket = text.removeprefix(SCHEME).partition("/")[0]
    if bucket.startswith("arn:"):
        return "an access point stands there by its alias, not by its ARN"
    return f"{bucket!r} cannot be a bucket's name" if bucket else "it does not name a bucket"
