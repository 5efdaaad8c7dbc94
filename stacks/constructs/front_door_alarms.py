"""The alarms that tell people how the API in front of endpoints does."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from headrace import contract
from stacks.constructs.endpoint_api import EndpointApi
from stacks.settings.alarms import FrontDoorAlarmSettings

NAMESPACE: Final = "AWS/ApiGateway"
_FIVE_MINUTES: Final = Duration.minutes(5)
_SLOW_PERIODS: Final = 3


class FrontDoorAlarms(Construct):
    """Alarms on an API, each there only where the settings draw its line; silent while there are no requests.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        api: What they watch.
        settings: Where they draw the line.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, api: EndpointApi, settings: FrontDoorAlarmSettings
    ) -> None:
        super().__init__(scope, construct_id)
        if settings.error_percent is not None:
            what = f"More than {settings.error_percent:g} % of the requests are answered with a 5xx status"
            # Each request counts as 0 or 1.
            errors = measure(api.name, "5XXError", cloudwatch.Stats.AVERAGE)
            self._alarm("Errors", what, errors, settings.error_percent / 100)
        if settings.throttled is not None:
            what = f"More than {settings.throttled} requests were refused within five minutes, as there were too many"
            self._alarm("Throttled", what, self._count_throttled(api), settings.throttled)
        if settings.latency_milliseconds:
            what = f"It takes longer than {settings.latency_milliseconds} ms for 1 % of the requests"
            latency = measure(api.name, "Latency", "p99")
            self._alarm("Latency", what, latency, settings.latency_milliseconds, periods=_SLOW_PERIODS)

    def _count_throttled(self, api: EndpointApi) -> cloudwatch.Metric:
        """API Gateway counts them among all 4xx: only its log distinguishes them."""
        logs.MetricFilter(
            self,
            "ThrottledFilter",
            log_group=api.access_logs,
            filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
            metric_namespace=contract.METRIC_NAMESPACE,
            metric_name=contract.THROTTLED_METRIC,
            metric_value="1",
            dimensions={"Api": "$.api"},
        )
        return cloudwatch.Metric(
            namespace=contract.METRIC_NAMESPACE,
            metric_name=contract.THROTTLED_METRIC,
            dimensions_map={"Api": api.name},
            statistic=cloudwatch.Stats.SUM,
            period=_FIVE_MINUTES,
        )

    def _alarm(
        self, construct_id: str, what: str, metric: cloudwatch.Metric, threshold: float, *, periods: int = 1
    ) -> None:
        cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"{what}: the API in front of endpoints",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def measure(api_name: str, name: str, statistic: str) -> cloudwatch.Metric:
    """A metric of an API."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"ApiName": api_name, "Stage": contract.FRONT_DOOR_STAGE},
        statistic=statistic,
        period=_FIVE_MINUTES,
    )
