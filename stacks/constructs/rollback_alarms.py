"""The alarms that roll an update of an endpoint back."""

from collections.abc import Iterator
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from headrace import contract
from headrace.contract import RollbackAlarm
from headrace.golden import contract as golden_requests
from stacks.constructs.endpoint_metrics import EndpointMetrics
from stacks.settings.update import UpdateAlarmSettings

# Of `containers/shared/serving/metrics.py`. SageMaker adds the label of the endpoint's name:
# https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch-detailed-observability.html
_CONTAINER_ERRORS: Final = (
    'sum(increase({{"headrace_model_errors_total", "aws.sagemaker.endpoint.name"="{name}"}}[1m]))'
)


class RollbackAlarms(Construct):
    """Alarms on one endpoint, each there only where the settings draw its line.

    What is not measured is well: an alarm without requests stays silent.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        environment: The environment and
        workload: the workload that they are named after.
        endpoint_name: What they watch.
        settings: Where they draw the line.
        asks_golden_requests: Whether there is one on golden requests, too.
        period_seconds: How often the endpoint's metrics come.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        workload: str,
        endpoint_name: str,
        settings: UpdateAlarmSettings | None,
        asks_golden_requests: bool,
        period_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._workload, self._endpoint_name = environment, workload, endpoint_name
        self._period_seconds = period_seconds
        self._metrics = EndpointMetrics(endpoint_name, Duration.seconds(period_seconds))
        self.names = (
            *(self._create(settings) if settings else ()),
            *([self._golden_requests()] if asks_golden_requests else ()),
        )

    def _create(self, settings: UpdateAlarmSettings) -> Iterator[str]:
        if settings.error_percent is not None:
            what = f"More than {settings.error_percent:g} % of the requests are answered with a 5xx status"
            yield self._alarm(RollbackAlarm.ERRORS, what, self._metrics.error_percent(), settings.error_percent)
        if settings.latency_milliseconds:
            what = f"The model takes longer than {settings.latency_milliseconds} ms for 1 % of the requests"
            latency = self._metrics.model_latency()
            yield self._alarm(RollbackAlarm.LATENCY, what, latency, settings.latency_milliseconds * 1000)
        if settings.container_errors:
            yield self._container_errors()

    def _alarm(self, kind: RollbackAlarm, what: str, metric: cloudwatch.IMetric, threshold: float) -> str:
        name = self._name(kind)
        cloudwatch.Alarm(
            self,
            kind.name.title(),
            alarm_name=name,
            alarm_description=self._describe(what),
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return name

    def _golden_requests(self) -> str:
        failed = cloudwatch.Metric(
            namespace=golden_requests.NAMESPACE,
            metric_name=golden_requests.METRIC,
            dimensions_map={golden_requests.ENDPOINT_DIMENSION: self._endpoint_name},
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.seconds(self._period_seconds),
        )
        return self._alarm(RollbackAlarm.GOLDEN, "Golden requests are not answered as expected", failed, 0)

    def _container_errors(self) -> str:
        """CloudWatch has what SageMaker collects from containers for PromQL alone."""
        name = self._name(RollbackAlarm.CONTAINER)
        query = f"{_CONTAINER_ERRORS.format(name=self._endpoint_name)} > 0"
        cloudwatch.CfnAlarm(
            self,
            "Container",
            alarm_name=name,
            alarm_description=self._describe("The container counts requests that failed through its fault"),
            evaluation_criteria={"promQlCriteria": {"query": query, "pendingPeriod": 0, "recoveryPeriod": 60}},
            evaluation_interval=self._period_seconds,
        )
        return name

    def _describe(self, what: str) -> str:
        return f"{what}, so an update is rolled back: {self._endpoint_name}"

    def _name(self, kind: RollbackAlarm) -> str:
        return contract.alarm_name(self._environment, self._workload, kind)
