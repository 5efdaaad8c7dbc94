"""The schedules by which an endpoint is stopped and started again."""

from datetime import timedelta
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from headrace import contract
from headrace.contract import EndpointAction
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.starting import Starting
from stacks.settings.hours import HoursSettings

# How long EventBridge Scheduler tries to start an execution.
_LONGEST_START: Final = timedelta(minutes=30)


class EndpointHours(Starting):
    """Schedules that start executions which stop or start an endpoint, under a role that may do nothing else.

    An execution that waits for the endpoint's turn until the opposite may be due does nothing any more.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: When.
        live: What is started.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: HoursSettings, live: LiveAlias) -> None:
        failure = (
            "A schedule of an endpoint's hours has started no execution; what it asked for is in the queue beside it"
        )
        super().__init__(scope, construct_id, failure=failure)
        self._live, self._timezone = live, settings.timezone
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
            ),
        )
        live.machine.grant_start_execution(self._role)
        self._role.add_to_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn])
        )
        stands, rests = settings.shortest
        self._add(EndpointAction.START, settings.start, within=stands)
        self._add(EndpointAction.STOP, settings.stop, within=rests)

    def _add(self, action: EndpointAction, expression: str, *, within: timedelta) -> None:
        request = {
            contract.ENDPOINT_ACTION_INPUT: action,
            contract.WITHIN_SECONDS_INPUT: int(within.total_seconds()),
            "Comment": "by the hours of the settings",
        }
        schedule = scheduler.CfnSchedule(
            self,
            action.title(),
            description=f"Endpoint of {self._live.machine.node.path}: {action.lower()}",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression=expression,
            schedule_expression_timezone=self._timezone,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._live.arn,
                role_arn=self._role.role_arn,
                input=Stack.of(self).to_json_string(request),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=int(_LONGEST_START.total_seconds())
                ),
            ),
        )
        schedule.node.add_dependency(self._role)
