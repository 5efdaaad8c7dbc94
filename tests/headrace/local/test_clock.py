"""The clock of a cloud, with a machine's clock by hand."""

import threading

import pytest

from headrace.local.clock import BackwardsError, Clock
from tests.patience import PATIENCE_SECONDS

START = 1_800_000_000.0


class Machine:
    """The clock of a machine."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> Clock:
    return Clock(machine)


def test_goes_with_the_machine_and_with_every_move(machine: Machine, clock: Clock) -> None:
    machine.now += 5
    clock.move(3600)

    assert clock.time() == START + 3605
    assert clock.now().timestamp() == START + 3605


def test_cannot_go_back(clock: Clock) -> None:
    with pytest.raises(BackwardsError, match="cannot go back"):
        clock.move(-1)


def test_passes_faster_for_what_waits_but_moves_alike(machine: Machine, clock: Clock) -> None:
    begin = clock.read_waits()
    machine.now += 1
    clock.move(100)

    assert clock.read_waits() - begin == pytest.approx(150)
    assert clock.from_waits(clock.to_waits(clock.time())) == pytest.approx(clock.time())


def test_wakes_whoever_waits_and_is_busy_until_they_noticed(clock: Clock) -> None:
    woken: list[str] = []
    with clock.waiting(60, lambda: woken.append("wait")) as wait, clock.limiting(90, lambda: woken.append("limit")):
        assert clock.find_wait() == pytest.approx(60, abs=1e-3)
        assert not clock.is_busy

        clock.move(61)

        assert (wait.left, sorted(woken), clock.is_busy) == (0, ["limit", "wait"], True)
    assert not clock.is_busy
    assert clock.find_wait() is None


def test_counts_work_but_not_while_it_rests(clock: Clock) -> None:
    seen = [clock.is_busy]
    with clock.working():
        seen.append(clock.is_busy)
        with clock.resting():
            seen.append(clock.is_busy)
        seen.append(clock.is_busy)

    assert seen == [False, True, False, True]


def test_has_a_thread_wait_until_the_clock_is_moved(clock: Clock) -> None:
    changed, over = threading.Condition(), threading.Event()

    def wait() -> None:
        with changed:
            clock.wait_for(changed, lambda: False, 86_400)
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    while clock.find_wait() is None:
        threading.Event().wait(0.01)
    clock.move(86_401)

    assert over.wait(PATIENCE_SECONDS)
