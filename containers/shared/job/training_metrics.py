"""The metrics that a training job publishes in its log."""

import sys
from collections.abc import Mapping

# Threads add numbers up in any order, so further digits would differ from run to run.
METRIC_DIGITS = 6


def round_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics as they are published."""
    return {name: round(value, METRIC_DIGITS) for name, value in metrics.items()}


def publish_metrics(metrics: Mapping[str, float]) -> None:
    """Write the log lines that the job's MetricDefinitions look for."""
    for name, value in metrics.items():
        sys.stdout.write(f"metric {name}={value:.{METRIC_DIGITS}f}\n")
