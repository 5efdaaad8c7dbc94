"""Moving a clock on from event to event, without a cloud."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.local.clock import Clock
from headrace.local.engine.moving import Fired, Mover

START = datetime(2026, 11, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Every:
    """Fires each time when so many seconds are over.

    Args:
        clock: The clock.
        seconds: How many.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._next = clock.time() + seconds

    def find_due(self) -> float | None:
        return max(0.0, self._next - self._clock.time())

    def tick(self) -> list[Fired]:
        if self._clock.time() < self._next:
            return []
        self._next += self._seconds
        return [Fired(self._clock.now(), f"every {self._seconds:g} s", "fired")]


@pytest.fixture
def clock() -> Clock:
    return Clock(START.timestamp)


def move(mover: Mover, until: datetime) -> list[dict[str, str]]:
    fired: list[dict[str, str]] = []
    step: dict[str, Any] = {"arrived": False}
    while not step["arrived"]:
        step = mover.step(until)
        fired += step["fired"]
    return fired


def test_fires_each_event_once_at_its_time_and_in_their_order(clock: Clock) -> None:
    mover = Mover(clock, [Every(clock, 3600), Every(clock, 5400)], pause=lambda _: None)

    fired = move(mover, START + 3 * HOUR)

    assert [(each["time"][11:16], each["what"]) for each in fired] == [
        ("01:00", "every 3600 s"),
        ("01:30", "every 5400 s"),
        ("02:00", "every 3600 s"),
        ("03:00", "every 3600 s"),
        ("03:00", "every 5400 s"),
    ]
    assert mover.show() == {"time": "2026-11-29T03:00:00Z"}


def test_stops_at_one_event_a_step(clock: Clock) -> None:
    mover = Mover(clock, [Every(clock, 3600)], pause=lambda _: None)

    step = mover.step(START + 3 * HOUR)

    assert (step["time"], step["arrived"], len(step["fired"])) == ("2026-11-29T01:00:00Z", False, 1)


def test_does_not_move_while_somebody_works(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.local.engine.moving.PATIENCE_SECONDS", 0.05)
    mover = Mover(clock, [], is_busy=lambda: True, pause=lambda _: None)

    step = mover.step(START + HOUR)

    assert (step["time"], step["arrived"]) == ("2026-11-29T00:00:00Z", False)


def test_goes_to_the_end_of_the_first_wait(clock: Clock) -> None:
    mover = Mover(clock, [], pause=lambda _: None)
    seen: list[float] = []

    with clock.limiting(60, lambda: seen.append(clock.time() - START.timestamp())):
        mover._move(3600)

    assert seen == [pytest.approx(60, abs=0.01)]


def test_is_where_it_was_to_go_at_once_if_it_is_there_already(clock: Clock) -> None:
    assert Mover(clock, [], pause=lambda _: None).step(START - HOUR)["arrived"]
