"""A state machine with the house's defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.pipeline.join import Pipeline

# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
_MAP_RUN_ACTIONS: Final = ("states:DescribeExecution", "states:StopExecution")


@dataclass(frozen=True, kw_only=True)
class MachineLog:
    """Where a state machine logs.

    Args:
        environment: The environment and
        machine: the machine that the log group is named after.
        days: How long events are kept.
        key: The customer's key, to encrypt them with.
        retain_data: Whether the log outlives the machine.
    """

    environment: str
    machine: str
    days: int
    key: kms.IKey | None
    retain_data: bool

    def name_for(self, role: iam.Role) -> str:
        """The name of the log group, another one for each role that is made: a log may outlive its machine.

        Step Functions needs this prefix once the account's log resource policy is full:
        https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        """
        return f"/aws/vendedlogs/states/headrace-{self.environment}-{self.machine}-{role.role_id}"


class StateMachine(sfn.StateMachine):
    """A state machine that logs and traces every execution, under a role that may do what its tasks need.

    Args:
        scope: Where it lives, with its role and its log group.
        construct_id: Its id there.
        pipeline: What it does.
        comment: The same in a few words.
        timeout_seconds: How long an execution may take.
        log: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: Pipeline,
        comment: str,
        timeout_seconds: int,
        log: MachineLog,
    ) -> None:
        definition = pipeline.render(comment=comment, timeout_seconds=timeout_seconds)
        role = iam.Role(scope, "WorkflowRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        log_group = ExpiringLogGroup(
            scope, "Logs", days=log.days, key=log.key, retain_data=log.retain_data, log_group_name=log.name_for(role)
        )
        super().__init__(
            scope,
            construct_id,
            definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
            role=role,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        self._comment = comment
        for permission in pipeline.permissions:
            role.add_to_policy(permission.statement)
        acknowledge(
            role,
            {finding: reason for permission in pipeline.permissions for finding, reason in permission.findings.items()}
            | {
                wildcard_resource(
                    "*"
                ): "X-Ray, lists of alarms and the delivery of state machine logs know no resources; "
                "CDK grants exactly the actions Step Functions documents for them."
            },
        )

        starting = _MAP_RUN_ACTIONS if pipeline.labels else ()
        self._allow_own_executions(role, [*pipeline.own_executions, *starting], pipeline.labels)

    def _allow_own_executions(self, role: iam.Role, actions: Sequence[str], labels: Sequence[str]) -> None:
        """In a policy that the machine does not wait for, as the role's own is, because this one names the machine."""
        if not actions:
            return
        statements = [iam.PolicyStatement(actions=list(actions), resources=[self._name_executions()])]
        if labels:
            started = [self._name_executions(f"/{label}") for label in labels]
            statements += [
                iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.state_machine_arn]),
                iam.PolicyStatement(actions=["states:RedriveExecution"], resources=started),
            ]
        policy = iam.Policy(self, "OwnExecutions", roles=[role], statements=statements)
        name = Stack.of(self).get_logical_id(cast("sfn.CfnStateMachine", self.node.default_child))
        acknowledge(
            policy,
            {
                wildcard_in_account("states", f"execution:<{name}.Name>{label}:*"): "Who starts an execution names it; "
                "the state machine's own name limits which ones are meant."
                for label in ("", *(f"/{label}" for label in labels))
            },
        )

    def _name_executions(self, label: str = "") -> str:
        return Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.state_machine_name}{label}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def add_failure_alarms(self) -> None:
        """Alarms for executions that fail or take too long; one that somebody stops sets none off."""
        period = Duration.minutes(5)
        alarms = {
            "Failures": (self.metric_failed(period=period), "failed"),
            "Timeouts": (self.metric_timed_out(period=period), "took too long"),
        }
        for construct_id, (metric, what) in alarms.items():
            cloudwatch.Alarm(
                self,
                construct_id,
                alarm_description=f"An execution {what}: {self._comment}",
                metric=metric,
                threshold=1,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
