"""What an execution is given: who runs its tasks, and a clock."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from headrace.local.engine.asl.flows import MapRun


@dataclass(frozen=True, kw_only=True)
class TaskCall:
    """One attempt of a Task state.

    Attributes:
        state: The state's name.
        resource: What it calls.
        arguments: What it calls it with.
        token: What the answer is sent with, where the task waits for one.
        has_credentials: Whether another role than the state machine's is to make the call.
    """

    state: str
    resource: str
    arguments: Any
    token: str | None = None
    has_credentials: bool = False


@dataclass(frozen=True, kw_only=True)
class ItemSource:
    """Where a Map state reads its items: its ItemReader, worked out."""

    resource: str
    arguments: Any
    config: Any


class Tasks(Protocol):
    """Does what states ask for; cancelled, it stops what it has begun."""

    async def run(self, call: TaskCall) -> Any:
        """The result of a task.

        Raises:
            StateFailedError: If the task fails.
        """

    async def read_items(self, source: ItemSource) -> list[Any]:
        """The items of a dataset.

        Raises:
            StateFailedError: If it cannot be read.
        """

    async def begin_map_run(self, run: MapRun) -> None:
        """Take notice of a run of a distributed Map state, which starts executions now.

        Raises:
            StateFailedError: If they may not be started.
        """


class Clock(Protocol):
    """The time of an execution."""

    def now(self) -> datetime:
        """This instant."""

    async def sleep(self, seconds: float) -> None:
        """Wait, in a Wait state or before another attempt."""

    def limit(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """End what is done in it by a TimeoutError once it has taken so long."""
