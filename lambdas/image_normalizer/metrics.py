"""One line per request: an event for people, and metrics that CloudWatch takes from it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
A sample, shortened:

    {"event": "answered", "door": "function_url", "status": 200, "milliseconds": 21.5, "_aws": {"Timestamp": …}}
"""

import json
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO

from .contract import METRIC_NAMESPACE

_DIMENSION = "door"
_UNITS = {"requests": "Count", "refused": "Count", "cache_hits": "Count", "milliseconds": "Milliseconds"}


class Outcome(NamedTuple):
    """What became of a request.

    Args:
        status: The HTTP status of the answer.
        code: The error's name, where it is one.
        is_cached: Whether the cache had the normalized image.
    """

    status: int
    code: str | None = None
    is_cached: bool = False


class RequestLog:
    """Writes what became of requests."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.time) -> None:
        self._out = out
        self._clock = clock

    def write(self, door: str, outcome: Outcome, seconds: float) -> None:
        """Tell of one request that came to a door and was answered after some seconds."""
        line = {
            "event": "answered",
            _DIMENSION: door,
            "status": outcome.status,
            "code": outcome.code,
            "requests": 1,
            "refused": int(outcome.code is not None),
            "cache_hits": int(outcome.is_cached),
            "milliseconds": round(seconds * 1000, 1),
            "_aws": {"Timestamp": round(self._clock() * 1000), "CloudWatchMetrics": [_METRICS]},
        }
        self._out.write(f"{json.dumps(line)}\n")
        self._out.flush()


_METRICS = {
    "Namespace": METRIC_NAMESPACE,
    "Dimensions": [[_DIMENSION]],
    "Metrics": [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()],
}
