"""Task states."""

import re
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.engine.asl.callbacks import Callback
from headrace.local.engine.asl.documents import write_bounded
from headrace.local.engine.asl.failures import HEARTBEAT_TIMEOUT, TIMEOUT, StateFailedError
from headrace.local.engine.asl.plain_states import MOST_SECONDS
from headrace.local.engine.asl.surroundings import TaskCall
from headrace.local.engine.asl.visits import Leaving, Visit

_CALLBACK: Final = ".waitForTaskToken"
_INTEGRATION: Final = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:(?P<service>.+):(?P<operation>[^:]+(?::2)?)")


async def run_task(visit: Visit) -> Leaving:
    """Call what the task is for, and wait as long as it may take.

    Raises:
        StateFailedError: If it fails, or takes longer.
    """
    callbacks = visit.runner.callbacks
    callback = callbacks.open() if visit.state["Resource"].endswith(_CALLBACK) else None
    visit.token = callback.token if callback else None
    try:
        return visit.finish(await _run(visit, callback))
    finally:
        if callback:
            callbacks.close(callback)


async def _run(visit: Visit, callback: Callback | None) -> Any:
    call = TaskCall(
        state=visit.name,
        resource=visit.state["Resource"],
        arguments=visit.language.read_arguments(visit.state, visit.scope),
        token=visit.token,
        has_credentials="Credentials" in visit.state,
    )
    limit = visit.read_number("TimeoutSeconds", 1, MOST_SECONDS)
    heartbeat = visit.read_number("HeartbeatSeconds", 1, MOST_SECONDS)
    events = TaskEvents(visit, call.resource)
    events.begin(write_bounded(call.arguments, "arguments", visit.name), limit, heartbeat)
    try:
        result = await _call(visit, call, callback, limit, heartbeat)
        text = write_bounded(result, "result", visit.name)
    except StateFailedError as failure:
        events.fail(failure)
        raise
    events.succeed(text)
    return result


async def _call(
    visit: Visit, call: TaskCall, callback: Callback | None, limit: float | None, heartbeat: float | None
) -> Any:
    try:
        async with visit.runner.clock.limit(limit):
            result = await visit.runner.tasks.run(call)
            return await callback.wait(visit.runner.clock, heartbeat) if callback else result
    except TimeoutError:
        raise StateFailedError(TIMEOUT, f"The task ran longer than its {limit:g} seconds.") from None


@dataclass(frozen=True)
class TaskEvents:
    """What the history says of a task: by functions and activities in words of their own.

    Attributes:
        visit: The visit that it belongs to.
        resource: What the task calls.
    """

    visit: Visit
    resource: str

    @property
    def _kind(self) -> str:
        if ":function:" in self.resource:
            return "LambdaFunction"
        return "Activity" if ":activity:" in self.resource else "Task"

    @property
    def _names(self) -> dict[str, str]:
        found = _INTEGRATION.fullmatch(self.resource)
        if self._kind != "Task" or not found:
            return {}
        return {"resourceType": found["service"], "resource": found["operation"]}

    def begin(self, arguments: str, limit: float | None, heartbeat: float | None) -> None:
        """That it is scheduled and has begun."""
        limits = {"timeoutInSeconds": limit, "heartbeatInSeconds": heartbeat}
        given = {name: int(seconds) for name, seconds in limits.items() if seconds is not None}
        if self._kind == "Task":
            self._add("Scheduled", **self._names, region="", parameters=arguments, **given)
            self._add("Started", **self._names)
        else:
            self._add("Scheduled", resource=self.resource, input=arguments, **given)
            self._add("Started")

    def succeed(self, output: str) -> None:
        """Its result."""
        self._add("Succeeded", **self._names, output=output)

    def fail(self, failure: StateFailedError) -> None:
        """Its failure."""
        ending = "TimedOut" if failure.error in (TIMEOUT, HEARTBEAT_TIMEOUT) else "Failed"
        self._add(ending, **self._names, error=failure.error, cause=failure.cause)

    def _add(self, ending: str, **details: Any) -> None:
        self.visit.flow.trail.add(f"{self._kind}{ending}", **details)
