"""The alarms that tell people how an endpoint does."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from headrace import contract
from headrace.contract import EndpointAlarm
from headrace.inventory import Item, Maker, price, usual_prices
from stacks.constructs.endpoint_metrics import EndpointMetrics
from stacks.settings.alarms import EndpointAlarmSettings
from stacks.settings.endpoint import EndpointSettings

_PERIOD: Final = Duration.minutes(5)
_SLOW_PERIODS: Final = 3
# Of a day that has begun, an alarm would see no calls and take it for a whole one.
IDLE_PERIOD: Final = Duration.hours(1)
IDLE_PERIODS_PER_DAY: Final = 24


class EndpointAlarms(Construct):
    """Alarms on one endpoint, each there only where the settings draw its line; silent while there is no endpoint.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        environment: The environment and
        workload: the workload that they are named after.
        endpoint_name: What they watch.
        endpoint: What it stands on.
        settings: Where they draw the line.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        workload: str,
        endpoint_name: str,
        endpoint: EndpointSettings,
        settings: EndpointAlarmSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._workload, self._endpoint_name = environment, workload, endpoint_name
        metrics = EndpointMetrics(endpoint_name, _PERIOD)
        if settings.idle_days and _may_be_idle(endpoint, settings.idle_days):
            self._watch_calls(settings.idle_days, endpoint)
        if settings.error_percent is not None:
            what = f"More than {settings.error_percent:g} % of the requests are answered with a 5xx status"
            self._alarm(EndpointAlarm.ERRORS, what, metrics.error_percent(), settings.error_percent, periods=1)
        if settings.latency_milliseconds:
            what = f"The model takes longer than {settings.latency_milliseconds} ms for 1 % of the requests"
            threshold = settings.latency_milliseconds * 1000
            self._alarm(EndpointAlarm.LATENCY, what, metrics.model_latency(), threshold, periods=_SLOW_PERIODS)

    def _watch_calls(self, days: int, endpoint: EndpointSettings) -> None:
        span = "a day" if days == 1 else f"{days} days"
        self._alarm(
            EndpointAlarm.IDLE,
            f"Not called for {span}, and {describe_cost(endpoint)} until it is deleted",
            EndpointMetrics(self._endpoint_name, IDLE_PERIOD).requests_while_standing(),
            0,
            periods=days * IDLE_PERIODS_PER_DAY,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        )

    def _alarm(
        self,
        kind: EndpointAlarm,
        what: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        *,
        periods: int,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    ) -> None:
        cloudwatch.Alarm(
            self,
            kind.name.title(),
            alarm_name=contract.alarm_name(self._environment, self._workload, kind),
            alarm_description=f"{what}: {self._endpoint_name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _may_be_idle(endpoint: EndpointSettings, days: int) -> bool:
    """Whether it can stand for so many days without a call, at a cost: with hours, it stands for none at all."""
    is_stopped_before = endpoint.idle_stop_days is not None and endpoint.idle_stop_days <= days
    return not (endpoint.serverless or endpoint.hours or is_stopped_before)


def describe_cost(endpoint: EndpointSettings) -> str:
    """What an endpoint of these settings costs a month, by the list prices of today."""
    scaling = endpoint.scaling if endpoint.scaling and endpoint.scaling.enabled else None
    count = scaling.least if scaling else endpoint.instance_count
    variant = {"InstanceType": endpoint.instance_type, "InitialInstanceCount": count}
    item = Item(
        kind="AWS::SageMaker::Endpoint",
        name="it",
        maker=Maker.RUN,
        properties={"ProductionVariants": [variant]},
    )
    priced = price(item, usual_prices())
    machines = f"{count} x {endpoint.instance_type}"
    if priced.unpriced:
        return f"it costs its machines, {machines}, whose price is not known here,"
    least = "at least " if scaling else ""
    return f"it costs {least}{priced.monthly:.2f} dollars a month ({machines}, list price of us-east-1)"
