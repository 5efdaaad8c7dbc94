"""Moves the clock of a cloud on: from one event that is due to the next, and never past work that goes on."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from headrace.local.clock import Clock

# Where a cloud's owner asks for its clock.
PATH: Final = "/_ministack/headrace/clock"
# Work is handed from thread to thread: it counts as ended when none is seen so often in a row.
_LOOKS: Final = 3
_PAUSE_SECONDS: Final = 0.01
_MOST_UNTOLD: Final = 10_000
# Times are rounded: what is due must not be missed by a microsecond.
_MARGIN_SECONDS: Final = 0.001
# How long one step looks for something that fires, and waits for what it started, before it answers.
PATIENCE_SECONDS: Final = 5.0
_EVER: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Fired:
    """Something that happened by the clock.

    Args:
        time: When, on the cloud's clock.
        what: What.
        outcome: What came of it.
    """

    time: datetime
    what: str
    outcome: str

    def describe(self) -> dict[str, str]:
        """It as JSON."""
        return {"time": write_time(self.time), "what": self.what, "outcome": self.outcome}


class Source(Protocol):
    """What is due at times, of which some may be had to happen by others than the mover."""

    def find_due(self) -> float | None:
        """In how many seconds its next event is due; None if none is."""

    def tick(self) -> list[Fired]:
        """Have happen what is due now, and say what has happened since the last time."""


class Happened:
    """What has happened and was not told yet; of very much, the last."""

    def __init__(self) -> None:
        self._fired: deque[Fired] = deque(maxlen=_MOST_UNTOLD)

    def note(self, fired: Iterable[Fired]) -> None:
        """Keep what has happened."""
        self._fired.extend(fired)

    def take(self) -> list[Fired]:
        """What was noted, which is told then."""
        return [self._fired.popleft() for _ in range(len(self._fired))]


class Mover:
    """Moves a clock on.

    Args:
        clock: The clock.
        sources: What is due by it.
        is_busy: Whether something goes on that no count of the clock knows.
        before_move: Is called with the seconds by which the clock is moved next.
        pause: Waits for some seconds of this machine.
    """

    def __init__(
        self,
        clock: Clock,
        sources: Iterable[Source],
        is_busy: Callable[[], bool] = lambda: False,
        *,
        before_move: Callable[[float], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sources = list(sources)
        self._is_busy = is_busy
        self._before_move = before_move
        self._pause = pause
        self._lock = threading.Lock()

    def show(self) -> dict[str, Any]:
        """What the clock shows: `time`."""
        return {"time": write_time(self._clock.now())}

    def step(self, until: datetime, since: datetime = _EVER) -> dict[str, Any]:
        """Move on until something has fired, or until an instant.

        A step that takes long comes back before; the next one goes on with it.

        Args:
            until: How far.
            since: What happened before is not told.

        Returns:
            `time`, that of the clock; `fired`, what has; `arrived`, whether the clock has come to the instant and
            everything rests.
        """
        with self._lock:
            end = time.monotonic() + PATIENCE_SECONDS
            fired = self._advance(until, end)
            rests = self._settle(end)
            fired += self._tick()
            now = self._clock.now()
            arrived = rests and not fired and now >= until
            return {
                "time": write_time(now),
                "fired": [each.describe() for each in sorted(fired, key=lambda one: one.time) if each.time >= since],
                "arrived": arrived,
            }

    def _advance(self, until: datetime, end: float) -> list[Fired]:
        """Move on until something fires, there is no way left to go, or patience is at its end."""
        rests = False
        while time.monotonic() < end:
            rests = rests or self._settle(end)
            if fired := self._tick():
                return fired
            left = until.timestamp() - self._clock.time()
            if not rests or left <= 0:
                return []
            rests = self._move(left)
        return []

    def _move(self, left: float) -> bool:
        """Move to what is due next, if that is not further than so many seconds; whether everybody rests on."""
        due = [seconds + _MARGIN_SECONDS for source in self._sources if (seconds := source.find_due()) is not None]
        waits = self._clock.find_wait()
        wait = math.inf if waits is None else waits + _MARGIN_SECONDS
        seconds = min([left + _MARGIN_SECONDS, wait, *due])
        self._before_move(seconds)
        self._clock.move(seconds)
        return seconds < wait

    def _tick(self) -> list[Fired]:
        return [fired for source in self._sources for fired in source.tick()]

    def _settle(self, end: float) -> bool:
        """Wait until nothing works any more; whether that was before an instant of this machine."""
        looks = 0
        while looks < _LOOKS:
            looks = 0 if self._clock.is_busy or self._is_busy() else looks + 1
            if looks == _LOOKS:
                return True
            if time.monotonic() > end:
                return False
            self._pause(_PAUSE_SECONDS)
        return True


def write_time(moment: datetime) -> str:
    """A time of the cloud's clock, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
