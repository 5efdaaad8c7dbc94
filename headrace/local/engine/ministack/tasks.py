"""Tasks of executions, each run by MiniStack on its own thread, and the clock of the local cloud."""

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from headrace.local.engine.asl.failures import StateFailedError, fail_at_runtime
from headrace.local.engine.asl.surroundings import ItemSource, TaskCall

logger = logging.getLogger(__name__)

CALLBACK = ".waitForTaskToken"


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
            StateFailedError: If the task fails.
        """
        resource = call.resource.removesuffix(CALLBACK)
        return await self._run_on_thread(lambda: self._states._invoke_resource(resource, call.arguments))

    async def read_items(self, source: ItemSource) -> list[Any]:
        """The items of a dataset.

        Raises:
            StateFailedError: If it cannot be read.
        """
        reader = {"Resource": source.resource, "Arguments": source.arguments, "ReaderConfig": source.config}
        items: list[Any] = await self._run_on_thread(lambda: self._states._read_map_items(reader, {}, {}))
        return items

    async def _run_on_thread(self, work: Callable[[], Any]) -> Any:
        scope = TaskScope()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()
        context.run(task_scope.set, scope)

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
    """The time of this machine, but for waits, which take a share of theirs.

    Args:
        states: MiniStack's Step Functions, which knows the share.
    """

    def __init__(self, states: Any) -> None:
        self._states = states

    def now(self) -> datetime:
        """This instant."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait, in a Wait state or before another attempt."""
        await asyncio.sleep(seconds * self._states._SFN_WAIT_SCALE)
