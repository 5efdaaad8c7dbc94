import threading

from containers.image_preprocessing.memory import MemoryBudget
from tests.patience import PATIENCE_SECONDS


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
