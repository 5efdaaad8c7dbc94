"""How long tests wait: for a state, not for a time. Only what hangs meets these ceilings, on a busy machine too."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 100
# pytest's ceiling for a test of real processes and the set-up of what it shares; pyproject.toml has that of the others.
SLOW_TEST_SECONDS = 900


def wait_until(look: Callable[[], T], what: str = "it") -> T:
    """What a look finds as soon as it finds anything.

    Args:
        look: Finds nothing, which is false, at first.
        what: What is looked for, in words.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} has not come"
        time.sleep(0.05)
    return found
