"""Tasks of executions, each run by MiniStack on its own thread, and the clock of the local cloud."""

import asyncio
import contextvars
import json
import logging
import selectors
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

from headrace.local.clock import CLOCK, Clock, run_and_ignore_ended_loop, to_machine_seconds
from headrace.local.engine.asl.failures import StateFailedError, fail_at_runtime
from headrace.local.engine.asl.flows import MapRun
from headrace.local.engine.asl.surroundings import ItemSource, TaskCall
from headrace.local.faults import caller

logger = logging.getLogger(__name__)

CALLBACK = ".waitForTaskToken"
T = TypeVar("T")


class TaskScope:
    """What ends a task that is cancelled: a thread cannot be, but what it waits for can."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._end: Callable[[], None] | None = None

    def on_cancel(self, end: Callable[[], None]) -> None:
        """Have something done when the task is cancelled; at once if it has been."""
        with self._lock:
            self._end = end
            if not self._is_cancelled:
                return
        end()

    def cancel(self) -> None:
        """Cancel the task."""
        with self._lock:
            self._is_cancelled = True
            end = self._end
        if end:
            end()


# That of the task that this thread runs.
task_scope: contextvars.ContextVar[TaskScope] = contextvars.ContextVar("task_scope")


class EngineTasks:
    """MiniStack's integrations.

    Args:
        states: MiniStack's Step Functions.
    """

    def __init__(self, states: Any) -> None:
        self._states = states

    async def run(self, call: TaskCall) -> Any:
        """The result of a task.

        Raises:
            StateFailedError: If the task fails, or is to be another role's.
        """
        if call.has_credentials:
            raise fail_at_runtime(
                f"The local cloud runs tasks as the state machine's role alone, and '{call.state}' has Credentials, "
                "which name another. Leave them out here, or run it on AWS."
            )
        resource = call.resource.removesuffix(CALLBACK)
        return await self._run_on_thread(
            lambda: self._states._invoke_resource(resource, call.arguments), state=call.state
        )

    async def read_items(self, source: ItemSource) -> list[Any]:
        """The items of a dataset.

        Raises:
            StateFailedError: If it cannot be read.
        """
        reader = {"Resource": source.resource, "Arguments": source.arguments, "ReaderConfig": source.config}
        items: list[Any] = await self._run_on_thread(lambda: self._states._read_map_items(reader, {}, {}))
        return items

    async def begin_map_run(self, run: MapRun) -> None:
        """Take notice of a run of a distributed Map state, which starts executions now.

        Raises:
            StateFailedError: If the role may not start executions of its own state machine.
        """
        await self._run_on_thread(lambda: self._states._begin_map_run(run))

    async def _run_on_thread(self, work: Callable[[], Any], *, state: str = "") -> Any:
        scope = TaskScope()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()
        context.run(task_scope.set, scope)
        context.run(caller.set, caller.get()._replace(state=state))

        def settle(result: Any, failure: StateFailedError | None) -> None:
            if ended.done():
                return
            if failure:
                ended.set_exception(failure)
            else:
                ended.set_result(result)

        def run() -> None:
            outcome = context.run(self._find_outcome, work)
            # The loop of an execution that was stopped has ended.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, *outcome)

        threading.Thread(target=run, daemon=True).start()
        try:
            with CLOCK.working():
                return await ended
        except asyncio.CancelledError:
            scope.cancel()
            raise

    def _find_outcome(self, work: Callable[[], Any]) -> tuple[Any, StateFailedError | None]:
        try:
            return json.loads(json.dumps(work(), default=str)), None
        except self._states._ExecutionError as error:
            return None, StateFailedError(error.error, error.cause)
        except Exception as error:
            logger.exception("task_broke")
            return None, fail_at_runtime(str(error))


class CloudClock:
    """The clock of the cloud, for what runs on an event loop.

    Args:
        clock: That clock.
    """

    def __init__(self, clock: Clock = CLOCK) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """This instant."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait, in a Wait state or before another attempt."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()
        wake = run_and_ignore_ended_loop(lambda: loop.call_soon_threadsafe(moved.set))
        with self._clock.waiting(seconds, wake) as wait:
            while wait.left:
                moved.clear()
                # `asyncio.wait_for` would lose a cancellation that comes with the move, as that of a limit does.
                with suppress(TimeoutError):
                    async with asyncio.timeout(to_machine_seconds(wait.left)):
                        await moved.wait()

    @asynccontextmanager
    async def limit(self, seconds: float | None) -> AsyncIterator[None]:
        """End what is done in it by a TimeoutError once it has taken so long."""
        if seconds is None:
            yield
            return
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds) as limit:

            def look_again() -> None:
                if not limit.expired():
                    limit.reschedule(loop.time() + wait.left)

            wake = run_and_ignore_ended_loop(lambda: loop.call_soon_threadsafe(look_again))
            with self._clock.limiting(seconds, wake) as wait:
                yield


class RestingSelector(selectors.DefaultSelector):
    """Says that an execution rests while its event loop has nothing to do but to wait."""

    def select(self, timeout: float | None = None) -> Any:
        """What is ready, after a wait of so many seconds at most."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        with CLOCK.resting():
            return super().select(timeout)


def run_on_clock(work: Coroutine[Any, Any, T]) -> T:
    """The result of some work; the clock is not moved on while it does anything but wait."""
    with (
        CLOCK.working(),
        asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(RestingSelector())) as runner,
    ):
        return runner.run(work)
