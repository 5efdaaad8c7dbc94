import itertools
import threading
from collections.abc import Iterator

import pytest

from containers.normalizer.crew import Crew
from tests.patience import PATIENCE_SECONDS


def test_does_the_work_for_every_item() -> None:
    done: list[int] = []

    Crew(done.append, 4).work_through(range(3000))

    assert sorted(done) == list(range(3000))


def test_works_on_several_items_at_a_time() -> None:
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)

    def wait_for_others(_: int) -> None:
        together.wait()

    Crew(wait_for_others, 4).work_through(range(4))

    assert not together.broken


def test_raises_the_first_error_and_drops_what_waits() -> None:
    seen = []

    def fail(item: int) -> None:
        seen.append(item)
        raise KeyError(item)

    with pytest.raises(KeyError):
        Crew(fail, 2).work_through(itertools.count())

    assert len(seen) <= 2


def test_finishes_what_waits_when_the_items_end_with_an_error() -> None:
    done: list[int] = []

    def break_off() -> Iterator[int]:
        yield from range(10)
        raise OSError("no more pages")

    with pytest.raises(OSError, match="no more pages"):
        Crew(done.append, 2).work_through(break_off())

    assert sorted(done) == list(range(10))
