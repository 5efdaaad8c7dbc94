"""Tasks in threads."""

import threading
from functools import partial

import pytest

from headrace.data.workers import Done, FileOutcome, work_off
from tests.patience import PATIENCE_SECONDS


def finish(name: str) -> Done:
    return Done(name, 1, FileOutcome.COPIED)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_does_every_task_once(workers: int) -> None:
    seen: list[Done] = []

    work_off((partial(finish, str(number)) for number in range(100)), workers, seen.append)

    assert sorted(int(step.name) for step in seen) == list(range(100))


def test_has_all_workers_do_what_one_task_falls_into() -> None:
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)

    def meet() -> Done:
        together.wait()
        return finish("part")

    seen: list[Done] = []
    work_off([lambda: Done("whole", more=[meet] * 4)], 4, seen.append)

    assert [step.name for step in seen] == ["whole", "part", "part", "part", "part"]


def test_raises_the_first_error_and_begins_nothing_more() -> None:
    begun: list[str] = []

    def do(name: str) -> Done:
        begun.append(name)
        if name == "3":
            raise ValueError(name)
        return finish(name)

    with pytest.raises(ValueError, match="3"):
        work_off((partial(do, str(number)) for number in range(100)), 1, lambda _: None)

    assert begun == ["0", "1", "2", "3"]


def test_leaves_no_thread_behind_when_the_listener_fails() -> None:
    def refuse(_: Done) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        work_off((partial(finish, str(number)) for number in range(100)), 4, refuse)

    assert threading.active_count() == before


def test_tells_in_the_callers_thread() -> None:
    told: list[threading.Thread] = []

    work_off([partial(finish, "a")], 2, lambda _: told.append(threading.current_thread()))

    assert told == [threading.current_thread()]


def test_does_nothing_when_there_is_nothing_to_do() -> None:
    work_off([], 0, lambda _: None)
