import threading

import pytest

from containers.normalizer.memory import MemoryBudget, share_memory
from headrace.normalizer.limits import Limits
from tests.patience import PATIENCE_SECONDS

MIB = 1024 * 1024


def test_lets_several_share_what_there_is() -> None:
    budget = MemoryBudget(10)

    with budget.hold(4), budget.hold(6):
        pass


def test_keeps_whoever_needs_more_waiting_until_it_is_free() -> None:
    budget = MemoryBudget(10)
    has_more = threading.Event()

    def take() -> None:
        with budget.hold(5):
            has_more.set()

    with budget.hold(6):
        thread = threading.Thread(target=take)
        thread.start()
        assert not has_more.wait(0.05)
    thread.join(PATIENCE_SECONDS)

    assert has_more.is_set()


def test_gives_back_what_an_error_leaves() -> None:
    budget = MemoryBudget(10)
    try:
        with budget.hold(10):
            raise ValueError
    except ValueError:
        pass

    with budget.hold(10):
        pass


@pytest.mark.parametrize(
    ("free_mib", "processors", "file_mib", "makers"),
    [(None, 8, 512, 8), (16_384, 4, 512, 4), (1024, 8, 341, 3), (256, 8, 85, 1), (10, 2, 32, 1)],
)
def test_normalizes_as_many_photographs_at_a_time_as_there_is_memory_for(
    free_mib: int | None, processors: int, file_mib: int, makers: int
) -> None:
    shares = share_memory(free_mib and free_mib * MIB, processors, Limits())

    assert (shares.file_bytes // MIB, shares.makers) == (file_mib, makers)
