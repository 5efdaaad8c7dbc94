"""What never becomes so is not waited for without end."""

from typing import Any

import pytest

from headrace.deletion import data, waiting
from headrace.deletion.data import EFS, FSX, HOLDERS
from headrace.deletion.ledger import Ledger
from headrace.deletion.waiting import WaitedTooLongError, wait_until
from tests.headrace.deletion.accounts import refuse


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def test_gives_up_and_the_ledger_notes_what_was_waited_for(clock: Clock) -> None:
    ledger = Ledger()

    with ledger.deleting(EFS, "fs-1"):
        wait_until(lambda: False, "fs-1 to be deleted")

    (failed,) = ledger.failed
    assert failed.note.startswith("waited 2 hours for fs-1 to be deleted")
    assert ledger.deleted == []


def test_takes_what_is_so_at_last_for_so(clock: Clock) -> None:
    wait_until(lambda: clock.now > 7000, "it")
    with pytest.raises(WaitedTooLongError):
        wait_until(lambda: clock.now > 16000, "it")


class FileSystems:
    """A file system that goes through these states, one at each look; it is there no more after them."""

    def __init__(self, *states: str) -> None:
        self._states = list(states)
        self.looks = 0

    def describe_file_systems(self, **_request: Any) -> Any:
        self.looks += 1
        if not self._states:
            refuse("FileSystemNotFound")()
        state = self._states.pop(0)
        return {"FileSystems": [{"LifeCycleState": state, "Lifecycle": state}]}

    def describe_mount_targets(self, **_request: Any) -> Any:
        return {"MountTargets": []}

    def delete_file_system(self, **_request: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "state"), [pytest.param(EFS, "deleting", id="EFS"), pytest.param(FSX, "DELETING", id="FSx")]
)
def test_waits_until_a_file_system_is_gone(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, kind: str, state: str
) -> None:
    systems = FileSystems(state, state)
    monkeypatch.setattr(data, "make_client", lambda _: systems)

    HOLDERS[kind].delete("fs-1")

    assert systems.looks == 3
