"""Waiting for what an account does by itself."""

import time
from collections.abc import Callable
from typing import Final

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 5.0


def wait_until(is_so: Callable[[], bool]) -> None:
    """Ask again and again, soon at first and then less often, until it is so."""
    pause = _FIRST_SECONDS
    while not is_so():
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_SECONDS)
