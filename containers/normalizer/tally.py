"""What became of the photographs so far, reported every few seconds."""

import sys
import threading
import time
from collections import Counter
from enum import StrEnum
from typing import Final

from containers.shared.job.events import log_event

REPORT_SECONDS: Final = 5.0


class Result(StrEnum):
    """What can become of a photograph.

    Its normalized image is MADE, or KEPT from an earlier run; it is REFUSED, which every run would do, or UNAVAILABLE,
    which the next run may not find.
    """

    MADE = "made"
    KEPT = "kept"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class Tally:
    """Counts photographs; all threads may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Result] = Counter()
        self._started = self._reported = time.monotonic()
        self.skipped = 0

    def count(self, result: Result) -> None:
        """One photograph more."""
        with self._lock:
            self._counts[result] += 1
            is_time = time.monotonic() - self._reported > REPORT_SECONDS
            if is_time:
                self._reported = time.monotonic()
        if is_time:
            self.report("progress")

    def skip(self) -> None:
        """One more object that is not a photograph."""
        self.skipped += 1

    def of(self, result: Result) -> int:
        """How many photographs have come to this."""
        return self._counts[result]

    @property
    def photographs(self) -> int:
        """How many photographs have come to anything."""
        return sum(self._counts.values())

    @property
    def seconds(self) -> float:
        """Since the job began."""
        return round(time.monotonic() - self._started, 1)

    def describe(self) -> dict[str, float]:
        """All figures by their names."""
        results = {str(result): self.of(result) for result in Result}
        return {"photographs": self.photographs, **results, "skipped": self.skipped, "seconds": self.seconds}

    def report(self, event: str) -> None:
        """Write the figures to standard output, now."""
        log_event(event, **self.describe())
        sys.stdout.flush()
