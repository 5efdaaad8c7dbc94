"""A state machine with the house's defaults, and how all of them fail."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.nag import acknowledge, wildcard_resource
from stacks.pipeline.asl import Fail, jsonata

# Whatever goes wrong is kept in `$failure` and leads here.
FAILED = "Failed"
FAILURE = Fail(error=jsonata("$failure.Error"), cause=jsonata("$failure.Cause"))


class StateMachine(sfn.StateMachine):
    """A state machine that logs and traces every execution, under a role that may do what its tasks need.

    Args:
        scope: Where it lives, with its role.
        construct_id: Its id there.
        definition: What it does.
        statements: What its tasks must be allowed.
        log_group: Where it logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definition: Mapping[str, Any],
        statements: Iterable[iam.PolicyStatement],
        log_group: logs.ILogGroup,
    ) -> None:
        role = iam.Role(scope, "WorkflowRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        super().__init__(
            scope,
            construct_id,
            definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
            role=role,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        for statement in statements:
            role.add_to_policy(statement)
        acknowledge(
            role,
            {
                wildcard_resource("*"): "X-Ray and the delivery of state machine logs know no resources; "
                "CDK grants exactly the actions Step Functions documents for them."
            },
        )


def name_log_group(environment: str, machine: str) -> str:
    """The name of a state machine's log group.

    Step Functions needs this prefix once the account's log resource policy is full:
    https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
    """
    return f"/aws/vendedlogs/states/headrace-{environment}-{machine}"


def assign_failure(error: str, cause: str) -> dict[str, Any]:
    """What a branch to the failure state assigns: the error's name, and JSONata for its cause."""
    return {"failure": {"Error": error, "Cause": jsonata(cause)}}
