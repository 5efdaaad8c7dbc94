"""The clock of a running local cloud, read and moved on through its door with its owner's key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.moving import PATH, write_time
from headrace.local.platform.owner_calls import call_as_owner

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART: Final = re.compile(r"(\d+)([smhdw])")
_SPAN: Final = re.compile(rf"\+(?:{_PART.pattern})+")


class ClockError(HeadraceError):
    """Where a clock cannot be moved to."""


@dataclass(frozen=True)
class MovableClock:
    """The clock of a cloud.

    Args:
        cloud: A local cloud that runs.
    """

    cloud: LocalCloud

    def read(self) -> datetime:
        """What it shows, in UTC."""
        return datetime.fromisoformat(call_as_owner(self.cloud, "GET", PATH)["time"])

    def move(self, until: datetime) -> Iterator[dict[str, Any]]:
        """Move it to an instant, step by step; of each step its `time`, and what has `fired`.

        Raises:
            ClockError: If it is past that instant.
        """
        now = self.read()
        if until < now:
            raise ClockError(f"the clock shows {write_time(now)} and cannot go back to {write_time(until)}")
        arrived = False
        while not arrived:
            step = call_as_owner(self.cloud, "POST", PATH, {"until": until.isoformat(), "since": now.isoformat()})
            arrived = step["arrived"]
            yield step


def read_span(text: str) -> timedelta:
    """How far `+30d`, `+6h` or `+1d12h` is.

    Raises:
        ClockError: If it says no span.
    """
    if not _SPAN.fullmatch(text):
        raise ClockError(f"{text}: expected a span such as +30d, +6h or +1d12h (units: {', '.join(_UNITS)})")
    try:
        return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)), timedelta())
    except (OverflowError, ValueError):  # Python reads numbers of at most 4,300 digits.
        raise ClockError(f"{text}: too far") from None


def read_instant(text: str) -> datetime:
    """The instant that a text such as `2026-12-24T08:00Z` names.

    Raises:
        ClockError: If it names none, or leaves its offset from UTC out.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ClockError(f"{text}: expected an instant such as 2026-12-24T08:00Z") from None
    if instant.tzinfo is None:
        raise ClockError(f"{text}: add the offset from UTC, such as {text}Z or {text}+01:00")
    return instant
