"""The clock of the local cloud: it can be moved on, and what waits on AWS waits here for a share of the time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

# Waits of a state machine, periods of alarms and metrics, and the baking of an endpoint take this share of their time.
WAIT_SCALE: Final = 0.02


def to_machine_seconds(cloud_seconds: float) -> float:
    """How long this machine waits where AWS would wait so long."""
    return cloud_seconds * WAIT_SCALE


def to_cloud_seconds(machine_seconds: float) -> float:
    """How long AWS would have taken for what took so long on this machine."""
    return machine_seconds / WAIT_SCALE


class BackwardsError(ValueError):
    """A clock that is to go back."""


@dataclass(eq=False)
class Wait:
    """Somebody waits for an instant.

    Args:
        read: The clock that it is on.
        due: The instant, on that clock.
        wake: Has who waits look at the clock again; called from any thread.
    """

    read: Callable[[], float]
    due: float
    wake: Callable[[], object]

    @property
    def left(self) -> float:
        """For how many seconds of the cloud it goes on; 0 once it is over."""
        return max(0.0, self.due - self.read())


class Clock:
    """The time of a cloud: that of this machine, and what it was moved on by.

    What waits has another clock, on which time passes faster between two moves: see `WAIT_SCALE`.

    Args:
        read_machine: The time of this machine, in seconds since 1970.
    """

    def __init__(self, read_machine: Callable[[], float] = time.time) -> None:
        self._read_machine = read_machine
        self._lock = threading.Lock()
        self._moved = 0.0
        self._waits: set[Wait] = set()
        self._at_work = 0
        self._of_thread = threading.local()

    def time(self) -> float:
        """The time of the cloud, in seconds since 1970."""
        return self._read_machine() + self._moved

    def now(self) -> datetime:
        """The time of the cloud, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def read_waits(self) -> float:
        """The time on the clock of what waits, in seconds; its zero means nothing."""
        return self.to_waits(self.time())

    def to_waits(self, instant: float) -> float:
        """What the clock of what waits shows at an instant since the last move."""
        return to_cloud_seconds(instant - self._moved) + self._moved

    def from_waits(self, waited: float) -> float:
        """When the clock of what waits shows this, if that is after the last move."""
        return to_machine_seconds(waited - self._moved) + self._moved

    def move(self, seconds: float) -> None:
        """Move both clocks on, and have everybody who waits look at them.

        Raises:
            BackwardsError: If they were to go back.
        """
        if seconds < 0:
            raise BackwardsError(f"the clock cannot go back, by {-seconds:g} s")
        with self._lock:
            self._moved += seconds
            waits = list(self._waits)
        for wait in waits:
            wait.wake()

    def find_wait(self) -> float | None:
        """In how many seconds the first of those who wait goes on; None if there are none."""
        with self._lock:
            return min((wait.left for wait in self._waits), default=None)

    @property
    def is_busy(self) -> bool:
        """Whether somebody works, or has been waiting and not noticed yet that it is over."""
        with self._lock:
            return self._at_work > 0 or any(not wait.left for wait in self._waits)

    @contextmanager
    def waiting(self, seconds: float, wake: Callable[[], object]) -> Iterator[Wait]:
        """Wait on the clock of what waits."""
        with self._announce(Wait(self.read_waits, self.read_waits() + seconds, wake)) as wait:
            yield wait

    def wait_for(self, changed: threading.Condition, is_over: Callable[[], bool], seconds: float) -> None:
        """Wait so long, or until something else is over; its condition is held, and notified when it may be."""

        def wake() -> None:
            with changed:
                changed.notify_all()

        with self.waiting(seconds, wake) as wait, self.resting():
            while wait.left and not is_over():
                changed.wait(to_machine_seconds(wait.left))

    @contextmanager
    def limiting(self, seconds: float, wake: Callable[[], object]) -> Iterator[Wait]:
        """Have some work end when the cloud's time has passed by so much."""
        with self._announce(Wait(self.time, self.time() + seconds, wake)) as wait:
            yield wait

    @contextmanager
    def working(self) -> Iterator[None]:
        """Say that this thread works: the clock is not moved on meanwhile."""
        with self._count(1):
            yield

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Say that this thread does not work for a while, if it does."""
        with self._count(-1 if getattr(self._of_thread, "at_work", 0) else 0):
            yield

    @contextmanager
    def _announce(self, wait: Wait) -> Iterator[Wait]:
        with self._lock:
            self._waits.add(wait)
        try:
            yield wait
        finally:
            with self._lock:
                self._waits.discard(wait)

    @contextmanager
    def _count(self, change: int) -> Iterator[None]:
        self.count_work(change)
        self.count_own_work(change)
        try:
            yield
        finally:
            self.count_own_work(-change)
            self.count_work(-change)

    def count_own_work(self, change: int) -> None:
        """Note how many works this thread does of those that are counted."""
        self._of_thread.at_work = getattr(self._of_thread, "at_work", 0) + change

    def count_work(self, change: int) -> None:
        """Note that somebody has begun or ended some work."""
        with self._lock:
            self._at_work += change


def run_and_ignore_ended_loop(wake: Callable[[], object]) -> Callable[[], None]:
    """A wake-up for who waits on an event loop, which may have ended meanwhile."""

    def run() -> None:
        with suppress(RuntimeError):
            wake()

    return run


# That of the cloud which this process serves.
CLOCK: Final = Clock()


class WorkingThread(threading.Thread):
    """A thread that works from its start to its end, but for its waits on the clock.

    Args:
        work: What it does.
        name: What it is called.
    """

    def __init__(self, work: Callable[[], object], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work

    def start(self) -> None:
        """Begin; the work counts from now on, not from when the thread has been given a processor."""
        CLOCK.count_work(1)
        super().start()

    def run(self) -> None:
        """Do the work."""
        CLOCK.count_own_work(1)
        try:
            self._work()
        finally:
            CLOCK.count_work(-1)
