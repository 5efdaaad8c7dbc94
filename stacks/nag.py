"""Acknowledgements of cdk-nag findings: one place, so that each is reasoned and none goes stale."""

import json
from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import Acknowledgment, CfnOutput, Stack, Token, Validations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings on one construct; each reason says why it may differ and what guards it instead.

    cdk-nag matches ids exactly: granular ones (`AwsSolutions-IAM5[Resource::*]`) each need their own entry.
    """
    stack = Stack.of(construct)
    known = {"AWS::Partition": stack.partition, "AWS::Region": stack.region}
    for finding, reason in findings.items():
        spelt = finding
        for name, value in known.items():
            # Where the settings choose a Region, it stands in the policies itself.
            spelt = spelt if Token.is_unresolved(value) else spelt.replace(f"<{name}>", value)
        Validations.of(construct).acknowledge(Acknowledgment(id=spelt, reason=reason))


def wildcard_resource(resource: str) -> str:
    """The finding for a policy that names a resource with a wildcard."""
    return f"AwsSolutions-IAM5[Resource::{resource}]"


def wildcard_objects(bucket: s3.IBucket, pattern: str) -> str:
    """The finding for a policy on the objects of another stack's bucket."""
    return wildcard_of(bucket, bucket.bucket_arn, pattern)


def wildcard_of(owner: IConstruct, arn: str, pattern: str) -> str:
    """The finding for a policy on what is below an ARN of another stack, or of what no stack makes."""
    resolved = Stack.of(owner).resolve(arn)
    is_made = isinstance(resolved, Mapping) and "Fn::Join" not in resolved
    spelt = _spell_output(owner, arn) if is_made else _spell_literally(resolved)
    return wildcard_resource(f"{spelt}/{pattern}")


def wildcard_executions(machine: sfn.StateMachine) -> str:
    """The finding for a policy on the executions of another stack's state machine."""
    return wildcard_in_account("states", f"execution:{_spell_output(machine, machine.state_machine_name)}:*")


def _spell_output(owner: IConstruct, value: str) -> str:
    """What another stack has, spelt as cdk-nag does: by what reads it.

    CDK names the output that it publishes by its value, and reuses one that is there.
    """
    stack = Stack.of(owner)
    scope = stack.node.try_find_child("Publish") or Construct(stack, "Publish")
    name = f"Output{json.dumps(stack.resolve(value), separators=(',', ':'))}"
    output = scope.node.try_find_child(name) or CfnOutput(cast("Construct", scope), name, value=value)
    place = {
        "StackName": stack.stack_name,
        "Region": stack.resolve(stack.region),
        "OutputName": stack.get_logical_id(cast("CfnOutput", output)),
    }
    return json.dumps({"Fn::GetStackOutput": place}, separators=(",", ":"))


def _spell_literally(value: str | Mapping[str, Any]) -> str:
    """What is joined from strings and pseudo parameters, spelt as cdk-nag does."""
    if isinstance(value, str):
        return value
    _, parts = value["Fn::Join"]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def wildcard_in_account(service: str, resource: str) -> str:
    """The finding for a policy on resources of this account and region."""
    return wildcard_resource(f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}")
