"""Waiting for what an account does by itself."""

import time
from collections.abc import Callable
from typing import Final

from headrace.errors import HeadraceError

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 5.0
# Network interfaces of functions and file systems hold a stack for up to an hour.
_MOST_HOURS: Final = 2


class WaitedTooLongError(HeadraceError):
    """An account has not done in hours what takes it minutes."""


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Ask again and again, soon at first and then less often, until it is so.

    Args:
        is_so: Whether it is.
        what: What is waited for, as in "waited for …".

    Raises:
        WaitedTooLongError: If it is not so after hours.
    """
    deadline = time.monotonic() + _MOST_HOURS * 3600
    pause = _FIRST_SECONDS
    while not is_so():
        if time.monotonic() >= deadline:
            raise WaitedTooLongError(
                f"waited {_MOST_HOURS} hours for {what}; look in the console what holds it, and run the command "
                "again: it resumes"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_SECONDS)
