"""The history of an execution: events as the API returns them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from headrace.local.engine.asl.documents import write_timestamp

# How the API calls the details of an event, where it does not name them after the event's type.
_SHARED_DETAILS: Final = (("StateEntered", "stateEntered"), ("StateExited", "stateExited"))


class Trail:
    """One line of events, each after the one before; branches begin lines of their own.

    Args:
        events: The execution's events, all lines together.
        now: The time.
        previous: The event that this line begins after.
    """

    def __init__(self, events: list[dict[str, Any]], now: Callable[[], datetime], previous: int = 0) -> None:
        self.events = events
        self.now = now
        self._previous = previous

    def branch(self) -> "Trail":
        """Another line, after the event that this one is at."""
        return Trail(self.events, self.now, self._previous)

    def add(self, kind: str, **details: Any) -> None:
        """Record an event; details that are None are left out."""
        event = {
            "id": len(self.events) + 1,
            "previousEventId": self._previous,
            "type": kind,
            "timestamp": write_timestamp(self.now()),
        }
        if given := {name: value for name, value in details.items() if value is not None}:
            event[_name_details(kind)] = given
        self.events.append(event)
        self._previous = len(self.events)


def _name_details(kind: str) -> str:
    shared = next((name for ending, name in _SHARED_DETAILS if kind.endswith(ending)), None)
    return f"{shared or kind[0].lower() + kind[1:]}EventDetails"
