"""Training metrics read from a job's own log lines."""

import logging
import math
import re
import time
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import MetricSink, read_clock

NAMESPACE = "/aws/sagemaker/TrainingJobs"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
MAX_REQUEST_VALUES = 1000
SENDING_INTERVAL_SECONDS = 10.0
CLOUDWATCH_ERRORS = (BotoCoreError, ClientError, ResponseParserError)

logger = logging.getLogger(__name__)


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


class MetricPublisher:
    """Sends the metrics of one training job to CloudWatch, some at a time; a job does not fail because of them."""

    def __init__(self, cloudwatch: MetricSink, job: str) -> None:
        self._cloudwatch = cloudwatch
        self._job = job
        self._waiting: list[dict[str, Any]] = []
        self._sent_at = time.monotonic()

    def add(self, name: str, value: float, timestamp: datetime) -> None:
        """Takes one value over, and sends the waiting ones now and then."""
        dimensions = [{"Name": "TrainingJobName", "Value": self._job}]
        self._waiting.append({"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": timestamp})
        is_late = time.monotonic() - self._sent_at > SENDING_INTERVAL_SECONDS
        if is_late or len(self._waiting) == MAX_REQUEST_VALUES:
            self.send()

    def send(self) -> None:
        """Sends the waiting values."""
        values, self._waiting = self._waiting, []
        self._sent_at = time.monotonic()
        if not values:
            return
        try:
            self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=values)
        except CLOUDWATCH_ERRORS as error:
            logger.warning("metrics_dropped job=%s count=%d error=%s", self._job, len(values), error)


class MetricCollector:
    """The values of each metric that a program printed: the last for the job's description, all for CloudWatch."""

    def __init__(self, definitions: list[dict[str, str]], publisher: MetricPublisher) -> None:
        self._patterns = compile_metrics(definitions)
        self._publisher = publisher
        self._latest: dict[str, tuple[float, datetime]] = {}

    def read_line(self, line: str) -> None:
        """Takes the values of one line over."""
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(line):
                value = parse_value(match.group(1))
                if value is not None:
                    self._latest[name] = (value, read_clock())
                    self._publisher.add(name, *self._latest[name])

    def close(self) -> None:
        """Sends what is left."""
        self._publisher.send()

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
