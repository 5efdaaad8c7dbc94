"""What CloudWatch is told of the requests to an endpoint.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.sagemaker.batches import Batches
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import MetricSink
from headrace.local.sagemaker.metrics import CLOUDWATCH_ERRORS, MAX_REQUEST_VALUES

NAMESPACE: Final = "AWS/SageMaker"
OF_MACHINES: Final = "/aws/sagemaker/Endpoints"
DEFAULT_SECONDS: Final = 60
_FREQUENCIES: Final = (10, 30, 60, 120, 180, 240, 300)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
_MOST_VALUES: Final = 150
_MICROSECONDS: Final = 1_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One request to an endpoint.

    Args:
        variant: The variant that it was for,
        config: and the endpoint configuration whose machine got it.
        instances: Of how many there are.
        status: What the container answered; 0 where it gave no answer.
        model_seconds: How long the container took,
        overhead_seconds: and all else.
    """

    variant: str
    config: str
    instances: int
    status: int
    model_seconds: float
    overhead_seconds: float

    def measure(self) -> Iterator[tuple[str, float, str]]:
        """Each metric of the request: its name, its value and its unit."""
        yield "Invocations", 1, "None"
        yield "InvocationsPerInstance", 1 / max(self.instances, 1), "None"
        yield "Invocation4XXErrors", float(400 <= self.status < 500), "None"
        yield "Invocation5XXErrors", float(not 200 <= self.status < 500), "None"
        yield "InvocationModelErrors", float(not 200 <= self.status < 300), "None"
        yield "ModelLatency", round(self.model_seconds * _MICROSECONDS), "Microseconds"
        yield "OverheadLatency", round(self.overhead_seconds * _MICROSECONDS), "Microseconds"


def read_frequency(config: Mapping[str, Any]) -> int:
    """How often an endpoint with a configuration publishes the metrics of its requests, in seconds.

    Raises:
        RequestRefusedError: If the configuration asks for one that there is not.
    """
    metrics = config.get("MetricsConfig", {})
    frequency = int(metrics.get("MetricPublishFrequencyInSeconds", DEFAULT_SECONDS))
    if frequency not in _FREQUENCIES:
        raise RequestRefusedError(
            f"MetricPublishFrequencyInSeconds must be one of {', '.join(map(str, _FREQUENCIES))}, not {frequency}."
        )
    return frequency if metrics.get("EnableEnhancedMetrics") else DEFAULT_SECONDS


_Key = tuple[str, str, str, str]


class EndpointMetrics(Batches[dict[_Key, Counter[float]]]):
    """The metrics of one endpoint, sent when an interval of the local cloud's clock is over.

    Args:
        cloudwatch: Where they go; SageMaker itself puts them, so no role is asked.
        endpoint: The endpoint's name.
    """

    def __init__(self, cloudwatch: MetricSink, endpoint: str) -> None:
        super().__init__(f"metrics {endpoint}", DEFAULT_SECONDS)
        self._cloudwatch = cloudwatch
        self._endpoint = endpoint

    def publish_every(self, seconds: int) -> None:
        """Send them as often as this from now on."""
        with self._changed:
            self._seconds = seconds

    def add(self, invocation: Invocation) -> None:
        """Take a request over."""
        with self._changed:
            for name, value, unit in invocation.measure():
                # The fleets of an update have metrics of their own, too, so that an alarm may watch the new one alone.
                for config in ("", invocation.config):
                    key = (name, unit, invocation.variant, config)
                    self._waiting.setdefault(key, Counter())[value] += 1
            self._wake()

    def _begin(self) -> dict[_Key, Counter[float]]:
        return {}

    def _describe(self, waiting: Mapping[_Key, Counter[float]]) -> Iterator[dict[str, Any]]:
        for (name, unit, variant, config), seen in waiting.items():
            dimensions = [{"Name": "EndpointName", "Value": self._endpoint}, {"Name": "VariantName", "Value": variant}]
            if config:
                dimensions.append({"Name": "EndpointConfigName", "Value": config})
            values = list(seen.items())
            for start in range(0, len(values), _MOST_VALUES):
                some = values[start : start + _MOST_VALUES]
                yield {
                    "MetricName": name,
                    "Dimensions": dimensions,
                    "Values": [value for value, _ in some],
                    "Counts": [float(count) for _, count in some],
                    "Unit": unit,
                }

    def _send(self, waiting: dict[_Key, Counter[float]]) -> None:
        data = [*self._describe(waiting)]
        for start in range(0, len(data), MAX_REQUEST_VALUES):
            some = data[start : start + MAX_REQUEST_VALUES]
            try:
                self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=some)
            except CLOUDWATCH_ERRORS as error:
                logger.warning("metrics_dropped endpoint=%s count=%d error=%s", self._endpoint, len(some), error)
