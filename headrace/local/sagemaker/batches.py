"""What comes in one by one and goes out together, in the background and by the local cloud's clock."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sized
from typing import Generic, TypeVar

from headrace.local.clock import CLOCK

Waiting = TypeVar("Waiting", bound=Sized)


class Batches(ABC, Generic[Waiting]):
    """Takes things over and sends what has come in while an interval passed.

    Args:
        name: What the thread that sends is called.
        seconds: The interval.
    """

    def __init__(self, name: str, seconds: int) -> None:
        self._name = name
        self._seconds = seconds
        self._changed = threading.Condition()
        self._waiting = self._begin()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @abstractmethod
    def _begin(self) -> Waiting:
        """An empty batch."""

    @abstractmethod
    def _send(self, waiting: Waiting) -> None:
        """Send a batch; what cannot be sent is logged."""

    def close(self) -> None:
        """Send what is left."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    def _wake(self) -> None:
        """Have what has come in sent in time; the lock is held."""
        if not self._thread and not self._is_closed:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while self._await_any():
            with CLOCK.working():
                with self._changed:
                    CLOCK.wait_for(self._changed, lambda: self._is_closed, self._seconds)
                    waiting, self._waiting = self._waiting, self._begin()
                self._send(waiting)

    def _await_any(self) -> bool:
        """Whether anything waits; not before it does, or nothing will come any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            return bool(self._waiting)
