"""Waits that become longer each time, so that long ones add little to the history of an execution.

Step Functions ends an execution whose history has 25,000 events.
"""

import itertools
import math
from typing import Final

from stacks.pipeline.asl import Wait, jsonata

_FIRST_SECONDS: Final = 30
_RATE: Final = 1.2


def wait_longer(counter: str, *, longest_seconds: int, next_state: str) -> Wait:
    """Wait half a minute, and a fifth longer each time.

    Args:
        counter: The variable that says the how manieth wait it is, from 1.
        longest_seconds: How long it waits at most.
        next_state: What comes then.
    """
    grown = f"{_FIRST_SECONDS} * $power({_RATE}, ${counter} - 1)"
    return Wait(seconds=jsonata(f"$ceil($min([{grown}, {longest_seconds}]))"), next=next_state)


def count_waits(seconds: int, *, longest_seconds: int) -> int:
    """How many of these waits it takes to have waited for so long."""
    waits = (math.ceil(min(_FIRST_SECONDS * _RATE**number, longest_seconds)) for number in itertools.count())
    return next(number for number, waited in enumerate(itertools.accumulate(waits), 1) if waited >= seconds)
