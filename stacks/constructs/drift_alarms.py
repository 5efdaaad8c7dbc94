"""The alarms that checks for drift set off, and their absence."""

from datetime import timedelta
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from headrace import contract
from headrace.contract import DriftAlarm
from headrace.drift.contract import ENVIRONMENT_DIMENSION, NAMESPACE, WORKLOAD_DIMENSION, Metric

_HOUR: Final = timedelta(hours=1)
# CloudWatch looks back a week, so that a weekly check has nothing of the margin: docs/drift.md says so.
_MOST_HOURS: Final = 7 * 24
# For how long after the last one, counted from its end, a check may be late.
_MARGIN_HOURS: Final = 2


class DriftAlarms(Construct):
    """One on columns that have drifted, and one on checks that do not come or have nothing to compare with.

    Args:
        scope: Where they live.
        construct_id: Their id there.
        environment: The environment and
        workload: the workload that they are named after.
        longest_gap: How long it is at most from a check to the next one.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, workload: str, longest_gap: timedelta
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._workload = environment, workload
        self._add_drift()
        self._add_missing(min(-(-longest_gap // _HOUR) + _MARGIN_HOURS, _MOST_HOURS))

    def _add_drift(self) -> None:
        """It stays as it is from one check to the next, and when there are too few requests to say anything."""
        cloudwatch.Alarm(
            self,
            "Drift",
            alarm_name=self._name(DriftAlarm.DRIFT),
            alarm_description=f"What the endpoint of {self._workload} is asked no longer looks like its training data",
            metric=self._metric(Metric.COLUMNS, cloudwatch.Stats.MAXIMUM),
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )

    def _add_missing(self, hours: int) -> None:
        """It has data for as long as checks end that compared; before the first one there is nothing to miss."""
        cloudwatch.Alarm(
            self,
            "Missing",
            alarm_name=self._name(DriftAlarm.MISSING),
            alarm_description=(
                f"Without data: no check for drift of {self._workload} has compared anything in {hours} hours; look at "
                "its schedule, and at the executions of its state machine, whose output says why"
            ),
            metric=self._metric(Metric.CHECKS, cloudwatch.Stats.SUM),
            threshold=1,
            evaluation_periods=hours,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )

    def _metric(self, metric: Metric, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric,
            dimensions_map={ENVIRONMENT_DIMENSION: self._environment, WORKLOAD_DIMENSION: self._workload},
            statistic=statistic,
            period=Duration.hours(1),
        )

    def _name(self, kind: DriftAlarm) -> str:
        return contract.alarm_name(self._environment, self._workload, kind)
