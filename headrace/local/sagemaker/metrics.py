"""Training metrics read from a job's own log lines."""

import math
import re
from datetime import datetime
from typing import Any

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import read_clock


def compile_metrics(definitions: list[dict[str, str]]) -> dict[str, re.Pattern[str]]:
    """Metric definitions by name; raises RequestRefusedError for an expression that captures no value."""
    patterns = {}
    for definition in definitions:
        try:
            pattern = re.compile(definition["Regex"])
        except re.error as error:
            raise RequestRefusedError(
                f'Metric {definition["Name"]} has an invalid regular expression "{definition["Regex"]}": {error}'
            ) from error
        if not pattern.groups:
            raise RequestRefusedError(
                f'Metric {definition["Name"]} needs a group in its regular expression "{definition["Regex"]}" '
                "that captures the value."
            )
        patterns[definition["Name"]] = pattern
    return patterns


class MetricCollector:
    """The last value of each metric that a program printed."""

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._patterns = compile_metrics(definitions)
        self._latest: dict[str, tuple[float, datetime]] = {}

    def read_line(self, line: str) -> None:
        """Takes the values of one line over."""
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(line):
                value = parse_value(match.group(1))
                if value is not None:
                    self._latest[name] = (value, read_clock())

    def list_final_values(self) -> list[dict[str, Any]]:
        """FinalMetricDataList of the API."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": timestamp}
            for name, (value, timestamp) in self._latest.items()
        ]


def parse_value(text: str | None) -> float | None:
    """The number a group captured; None for anything JSON has no number for."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
