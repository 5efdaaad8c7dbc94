"""Histories of executions, written event by event as Step Functions keeps them."""

from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


class Events:
    """A history that grows; each event follows the one before it unless it is said which, and takes a second."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self.add("ExecutionStarted")

    def add(self, kind: str, after: int | None = None, **details: Any) -> int:
        """Add an event; its number."""
        number = len(self.all) + 1
        event: dict[str, Any] = {
            "id": number,
            "previousEventId": number - 1 if after is None else after,
            "type": kind,
            "timestamp": BEGIN + timedelta(seconds=number),
        }
        if details:
            event["someEventDetails"] = details
        self.all.append(event)
        return number

    def enter(self, name: str, kind: str = "Task", after: int | None = None) -> int:
        return self.add(f"{kind}StateEntered", after, name=name)

    def leave(self, name: str, kind: str = "Task", after: int | None = None) -> int:
        return self.add(f"{kind}StateExited", after, name=name)

    def work(self, name: str, after: int | None = None) -> int:
        """Go through a task that succeeds at the first try."""
        self.enter(name, after=after)
        for kind in ("TaskScheduled", "TaskStarted", "TaskSucceeded"):
            self.add(kind)
        return self.leave(name)
