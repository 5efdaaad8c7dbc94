"""The retriers of a state: which attempts they allow, and after which pauses."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.local.engine.asl.failures import StateFailedError, matches


class Retries:
    """Counts the attempts of one visit of a state, by its retriers.

    Args:
        retriers: The state's.
        used: How often each of them has been used already.
    """

    def __init__(self, retriers: Sequence[Mapping[str, Any]], used: int = 0) -> None:
        self._retriers = retriers
        self._counts = [used] * len(retriers)

    def find_pause(self, failure: StateFailedError) -> float | None:
        """The seconds to wait before the next attempt, or nothing if there is none."""
        for at, retrier in enumerate(self._retriers):
            if matches(retrier["ErrorEquals"], failure.error):
                if self._counts[at] >= retrier.get("MaxAttempts", 3):
                    return None
                self._counts[at] += 1
                return _measure_pause(retrier, self._counts[at])
        return None


def _measure_pause(retrier: Mapping[str, Any], attempt: int) -> float:
    pause = float(retrier.get("IntervalSeconds", 1))
    longest = retrier.get("MaxDelaySeconds")
    for _ in range(attempt - 1):
        pause *= retrier.get("BackoffRate", 2.0)
    if longest is not None:
        pause = min(pause, longest)
    return random.uniform(0, pause) if retrier.get("JitterStrategy") == "FULL" else pause  # noqa: S311
