"""What listings are made of."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or an object, or something that is neither.

    Args:
        name: Its path below the address it was listed from; ends with a slash if it is a folder.
        size: Its bytes.
        modified: When it was last written, in milliseconds since 1970; S3 says no more.
        etag: S3's mark of its content; empty for files of this machine.
        problem: Why it cannot be read or copied; empty for what can.
    """

    name: str
    size: int
    modified: int
    etag: str = ""
    problem: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or the empty object that some clients put in a folder's place."""
        return self.name.endswith("/")

    @property
    def modified_at(self) -> datetime:
        """When it was last written."""
        return datetime.fromtimestamp(self.modified / 1000, UTC)


@dataclass(frozen=True)
class Usage:
    """How much there is at an address."""

    objects: int
    bytes: int
