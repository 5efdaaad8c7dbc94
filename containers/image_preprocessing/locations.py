"""Addresses in S3."""

import re
from dataclasses import dataclass
from typing import Self

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)", re.DOTALL)


class LocationError(ValueError):
    """A text that is not an address in S3."""


@dataclass(frozen=True, slots=True)
class Location:
    """An object, or a prefix of objects.

    Args:
        bucket: The bucket, or an access point's alias.
        key: The key or the prefix.
    """

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The location at an address such as s3://bucket/key.

        Raises:
            LocationError: If it is none.
        """
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise LocationError(f"{text!r} is not an address in S3 such as s3://bucket/images/")
        return cls(found[1], found[2])

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_prefix(self) -> bool:
        """Whether objects may be below it, as below a folder."""
        return not self.key or self.key.endswith("/")

    def below(self, path: str) -> "Location":
        """The location of a path below this prefix."""
        return Location(self.bucket, self.key + path)

    def contains(self, other: "Location") -> bool:
        """Whether another location is below this prefix."""
        return self.bucket == other.bucket and other.key.startswith(self.key)
