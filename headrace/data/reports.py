"""What a replication reports: how far it is, what it did, what it could not do."""

from dataclasses import dataclass
from typing import Final

from headrace.data.errors import DataError
from headrace.errors import as_shown

_SHOWN: Final = 3


@dataclass(frozen=True)
class Skipped:
    """A file that was left out.

    Args:
        name: Which one.
        reason: Why.
    """

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a replication did.

    Args:
        source: Where the files are from.
        target: Where they are now.
        copied: The names of those that were copied, sorted.
        unchanged: The names of those that were there already.
        missing: The names of those that were listed, but gone when their turn came.
        skipped: Those that could not be copied, or deleted, with the reasons.
        deleted: The names of those that were deleted because the source has none of the name.
        bytes_copied: The size of the copied ones.
    """

    source: str
    target: str
    copied: tuple[str, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    deleted: tuple[str, ...]
    bytes_copied: int


class IncompleteError(DataError):
    """Some files could not be copied; all others were.

    Args:
        report: What was done, with the reason for each that was not.
    """

    def __init__(self, report: Report) -> None:
        shown = "; ".join(f"{as_shown(file.name)}: {file.reason}" for file in report.skipped[:_SHOWN])
        more = len(report.skipped) - _SHOWN
        super().__init__(
            f"{report.source}: {len(report.skipped)} could not be copied to {report.target}, the others were: {shown}"
            + (f"; and {more} more" if more > 0 else "")
        )
        self.report = report


@dataclass(slots=True)
class Progress:
    """How far a replication is."""

    files_total: int
    bytes_total: int
    files: int = 0
    bytes: int = 0
