"""Stops an endpoint that is not called: an alarm on its calls, and a rule that starts an execution with it.

The rule hears of changes alone, so a schedule sets the alarm to OK each day: one that is right goes off again, and an
endpoint that could not be stopped, or was started again before the alarm had seen it gone, gets another stop.
"""

from datetime import timedelta
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from headrace import contract
from headrace.contract import EndpointAction, EndpointAlarm
from stacks.constructs.endpoint_alarms import IDLE_PERIOD, IDLE_PERIODS_PER_DAY, describe_cost
from stacks.constructs.endpoint_metrics import EndpointMetrics
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.starting import Starting
from stacks.settings.endpoint import EndpointSettings

_LONGEST_START: Final = Duration.minutes(30)
# What is asked of the endpoint in an hour is what the alarm has not seen, so a stop may wait for as long.
_LONGEST_WAIT: Final = timedelta(hours=1)
# The alarm counts hours that have begun as whole ones: the one in which the endpoint was made, and the last.
_BEGUN_HOURS: Final = timedelta(hours=2)


class IdleStop(Starting):
    """Has an execution stop an endpoint when its alarm goes off, which is silent while there is no endpoint.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        environment: The environment and
        workload: the workload that the alarm is named after.
        endpoint_name: What it watches.
        endpoint: What that stands on.
        days: For how many days it was not called then.
        live: What is started.
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
        days: int,
        live: LiveAlias,
    ) -> None:
        failure = (
            "An alarm on an idle endpoint has started no execution, or is not looked at anew; see the queue beside it"
        )
        super().__init__(scope, construct_id, failure=failure)
        self._endpoint_name, self._days = endpoint_name, days
        name = contract.alarm_name(environment, workload, EndpointAlarm.IDLE_STOP)
        why = (
            f"it was not called for {self._span}, and {describe_cost(endpoint)}. To start it again: "
            f"headrace pipeline endpoint start --env {environment} --workload {workload}"
        )
        rule = self._follow(name, live, why)
        live.be_started_by(rule)
        alarm = self._watch_calls(name)
        # An endpoint that is idle already sets it off as soon as it is made.
        alarm.node.add_dependency(rule)
        self._look_anew(alarm)

    @property
    def _span(self) -> str:
        return "a day" if self._days == 1 else f"{self._days} days"

    def _watch_calls(self, name: str) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_name=name,
            alarm_description=f"Not called for {self._span}, so it is stopped: {self._endpoint_name}",
            metric=EndpointMetrics(self._endpoint_name, IDLE_PERIOD).requests_while_standing(),
            threshold=0,
            evaluation_periods=self._days * IDLE_PERIODS_PER_DAY,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _look_anew(self, alarm: cloudwatch.Alarm) -> None:
        request = {"AlarmName": alarm.alarm_name, "StateValue": "OK", "StateReason": "looked at anew each day"}
        allowed = iam.PolicyStatement(actions=["cloudwatch:SetAlarmState"], resources=[alarm.alarm_arn])
        scheduler.Schedule(
            self,
            "LookAnew",
            description=f"Lets the alarm go off again that stops {self._endpoint_name}",
            schedule=scheduler.ScheduleExpression.rate(Duration.days(1)),
            target=scheduler_targets.Universal(
                service="cloudwatch",
                action="setAlarmState",
                input=scheduler.ScheduleTargetInput.from_object(request),
                policy_statements=[allowed],
                role=self._create_role("LookAnewRole", "scheduler.amazonaws.com"),
                max_event_age=_LONGEST_START,
                dead_letter_queue=self.dead_letters,
            ),
        )

    def _follow(self, alarm_name: str, live: LiveAlias, why: str) -> events.Rule:
        request = {
            contract.ENDPOINT_ACTION_INPUT: EndpointAction.STOP,
            contract.WITHIN_SECONDS_INPUT: int(_LONGEST_WAIT.total_seconds()),
            contract.UNCHANGED_SECONDS_INPUT: int((timedelta(days=self._days) - _BEGUN_HOURS).total_seconds()),
            "Comment": why,
        }
        target = targets.SfnStateMachine(
            live.machine,
            input=events.RuleTargetInput.from_object(request),
            role=self._create_role("Role", "events.amazonaws.com"),
            max_event_age=_LONGEST_START,
            dead_letter_queue=self.dead_letters,
        )
        return events.Rule(
            self,
            "Rule",
            description=f"Stops {self._endpoint_name} when it was not called for {self._span}",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                detail={"alarmName": [alarm_name], "state": {"value": ["ALARM"]}},
            ),
            targets=[target],
        )

    def _create_role(self, construct_id: str, service: str) -> iam.Role:
        return iam.Role(
            self,
            construct_id,
            assumed_by=iam.ServicePrincipal(
                service, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
            ),
        )
