"""What is written about requests: the first refusals one by one, all the others in a summary.

At 10,000 requests a second a line for each would cost more to keep than the machine that serves them. A summary of one
worker, which comes only after a period with requests in it:

    {"event": "requests", "worker": 17, "seconds": 10.0, "requests": 52143, "rows": 52141,
     "statuses": {"200": 52141, "400": 2}, "within_milliseconds": {"0.5": 51020, "1": 1100, "5": 23}}

Each request counts under the smallest number of milliseconds it stayed within.
"""

import asyncio
import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from containers.shared.serving.events import log_event

PERIOD_SECONDS = 10.0
# Of each period; a caller who only makes mistakes must not fill the log.
REFUSALS_IN_FULL = 20
BOUNDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000)
BEYOND = "more"
NOTHING: Mapping[str, int] = MappingProxyType({})


class Traffic:
    """Counts the requests of one worker and writes what has to be known about them.

    Args:
        every: Write a line about each request.
    """

    def __init__(self, *, every: bool) -> None:
        self.every = every
        self._begin()

    def note(
        self,
        method: str,
        path: str,
        status: int,
        seconds: float,
        *,
        amounts: Mapping[str, int] = NOTHING,
        error: str = "",
    ) -> None:
        """Count one request, and write it if it is one of the first refusals."""
        if not self._statuses:
            self._begin()
            asyncio.get_running_loop().call_later(PERIOD_SECONDS, self.summarize)
        self._statuses[status] += 1
        self._amounts.update(amounts)
        milliseconds = seconds * 1000
        self._durations[bisect_left(BOUNDS, milliseconds)] += 1
        if status >= 400:
            self._refusals += 1
        if self.every or (status >= 400 and self._refusals <= REFUSALS_IN_FULL):
            outcome = {"error": error} if error else amounts
            log_event(
                "request", method=method, path=path, status=status, **outcome, milliseconds=round(milliseconds, 3)
            )

    def summarize(self) -> None:
        """Write the summary of the period, unless nothing happened in it."""
        if not self._statuses:
            return
        log_event(
            "requests",
            worker=os.getpid(),
            seconds=round(time.monotonic() - self._start, 1),
            requests=self._statuses.total(),
            **self._amounts,
            statuses={str(status): self._statuses[status] for status in sorted(self._statuses)},
            within_milliseconds={name_bound(index): self._durations[index] for index in sorted(self._durations)},
        )
        self._begin()

    def _begin(self) -> None:
        self._start = time.monotonic()
        self._statuses: Counter[int] = Counter()
        self._durations: Counter[int] = Counter()
        self._amounts: Counter[str] = Counter()
        self._refusals = 0


def name_bound(index: int) -> str:
    """The bound's text, or the word for durations beyond the last."""
    return str(BOUNDS[index]) if index < len(BOUNDS) else BEYOND
