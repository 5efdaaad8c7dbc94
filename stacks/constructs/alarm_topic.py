"""The topic of alarms, as those see it who publish to it: another stack makes it, under a name that is known."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from headrace import contract
from stacks.nag import acknowledge, wildcard_in_account


def name_topic(scope: Construct, environment: str) -> str:
    """The ARN of an environment's topic of alarms."""
    return Stack.of(scope).format_arn(
        service="sns", resource=contract.alarm_topic_name(environment), arn_format=ArnFormat.NO_RESOURCE_NAME
    )


def allow_publishing(role: iam.Role, topic_arn: str) -> None:
    """Let a role publish to the topic; what the topic's key is used for distinguishes it from other keys."""
    role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[topic_arn]))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[Stack.of(role).format_arn(service="kms", resource="key", resource_name="*")],
            conditions={"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}},
        )
    )
    acknowledge(
        role, {wildcard_in_account("kms", "key/*"): "Only the key of the environment's topic encrypts for that topic."}
    )
