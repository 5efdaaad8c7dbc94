"""How many requests run at once: fewer when some are turned away, more again when all are served."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headrace.images.errors import NormalizedImageThrottledError


class RequestSlots:
    """Lets so many requests run at once as are served; threads share it.

    Args:
        most: How many run at once when none is turned away.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._running = 0
        self._changed = threading.Condition()

    @property
    def places(self) -> int:
        """How many may run at once by now."""
        return int(self._allowed)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Run a request in the block, once there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.places)
            self._running += 1
        try:
            yield
        except NormalizedImageThrottledError:
            with self._changed:
                # Those that run beside it were admitted: so many there is room for.
                self._allowed = max(1.0, min(self._allowed, self._running - 1))
            raise
        else:
            with self._changed:
                self._allowed = min(float(self._most), self._allowed + 1 / self._allowed)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
