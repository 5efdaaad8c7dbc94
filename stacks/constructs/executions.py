"""What people may do with the executions of state machines, each with what cdk-nag finds in it and why it may be so."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam

from headrace.contract import LIVE_ALIAS
from stacks.constructs.state_machine import StateMachine
from stacks.nag import wildcard_executions
from stacks.pipeline.permission import Permission

_ANY_EXECUTION = (
    "The caller names an execution when starting it; the state machine's own name limits which ones are meant."
)


def allow_starting(machines: Sequence[StateMachine], *, by_alias: bool = True) -> Permission:
    """Start executions, by the alias alone where there is one.

    IAM decides on the state machine's ARN for its versions and aliases as well. An earlier one may need no approval
    (https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html).
    """
    live = {"StringEquals": {"states:StateMachineQualifier": LIVE_ALIAS}}
    return Permission(
        statement=iam.PolicyStatement(
            actions=["states:StartExecution"],
            resources=[machine.state_machine_arn for machine in machines],
            conditions=live if by_alias else {},
        )
    )


def allow_going_back(machines: Sequence[StateMachine], conditions: Mapping[str, Any]) -> Permission:
    """Lead the alias by which executions are started to another version of the state machine, under conditions."""
    return Permission(
        statement=iam.PolicyStatement(
            actions=["states:UpdateStateMachineAlias"],
            resources=[machine.state_machine_arn for machine in machines],
            conditions=conditions,
        )
    )


def allow_stopping(scope: Stack, machines: Sequence[StateMachine]) -> Permission:
    """Stop executions, and with them the job that costs."""
    return _allow_executions(scope, machines, ["states:StopExecution"])


def allow_watching(scope: Stack, machines: Sequence[StateMachine]) -> Sequence[Permission]:
    """See which executions there are, and how each is going."""
    listing = iam.PolicyStatement(
        actions=[
            "states:DescribeStateMachine",
            "states:DescribeStateMachineAlias",
            "states:ListExecutions",
            "states:ListStateMachineVersions",
        ],
        resources=[machine.state_machine_arn for machine in machines],
    )
    looking = ["states:DescribeExecution", "states:DescribeStateMachineForExecution", "states:GetExecutionHistory"]
    return [Permission(statement=listing), _allow_executions(scope, machines, looking)]


def _allow_executions(scope: Stack, machines: Sequence[StateMachine], actions: Sequence[str]) -> Permission:
    executions = [
        scope.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for machine in machines
    ]
    return Permission(
        statement=iam.PolicyStatement(actions=list(actions), resources=executions),
        findings={wildcard_executions(machine): _ANY_EXECUTION for machine in machines},
    )
