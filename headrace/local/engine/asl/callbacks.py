"""Tasks that wait until somebody sends their result with a token."""

import asyncio
import uuid
from typing import Any

from headrace.local.engine.asl.failures import HEARTBEAT_TIMEOUT, StateFailedError
from headrace.local.engine.asl.surroundings import Clock


class UnknownTokenError(Exception):
    """A token that no task waits for."""


class Callback:
    """What one task waits for; other threads may send it.

    Args:
        token: Who sends it names this.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Any] = self._loop.create_future()
        self._beat = asyncio.Event()

    async def wait(self, clock: Clock, heartbeat: float | None) -> Any:
        """The result that was sent.

        Args:
            clock: The time.
            heartbeat: How many seconds may pass without a sign of life.

        Raises:
            StateFailedError: If the task was reported as failed, or nothing was heard of it.
        """
        while not self._answer.done():
            self._beat.clear()
            beat = asyncio.create_task(self._beat.wait())
            try:
                async with clock.limit(heartbeat):
                    await asyncio.wait({self._answer, beat}, return_when=asyncio.FIRST_COMPLETED)
            except TimeoutError:
                raise StateFailedError(
                    HEARTBEAT_TIMEOUT, f"No heartbeat was received within {heartbeat} seconds."
                ) from None
            finally:
                beat.cancel()
        return self._answer.result()

    def send(self, result: Any) -> None:
        """End the wait with a result, or with a failure."""
        self._loop.call_soon_threadsafe(self._settle, result)

    def beat(self) -> None:
        """Give a sign of life."""
        self._loop.call_soon_threadsafe(self._beat.set)

    def _settle(self, result: Any) -> None:
        if self._answer.done():
            return
        if isinstance(result, StateFailedError):
            self._answer.set_exception(result)
        else:
            self._answer.set_result(result)


class Callbacks:
    """Everything that is waited for, by its token."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callback] = {}

    @property
    def tokens(self) -> list[str]:
        """The tokens of all that is waited for."""
        return list(self._waiting)

    def open(self) -> Callback:
        """Begin to wait, under a new token."""
        callback = Callback(str(uuid.uuid4()))
        self._waiting[callback.token] = callback
        return callback

    def close(self, callback: Callback) -> None:
        """Forget a token."""
        self._waiting.pop(callback.token, None)

    def find(self, token: str) -> Callback:
        """What waits under a token.

        Raises:
            UnknownTokenError: If nothing does.
        """
        try:
            return self._waiting[token]
        except KeyError:
            raise UnknownTokenError(token) from None
