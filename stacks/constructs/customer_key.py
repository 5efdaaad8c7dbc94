"""A key of the customer's with the house's defaults."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.removal import choose_removal_policy


class CustomerKey(kms.Key):
    """A key that rotates every year, and that the account's own log groups may use."""

    def __init__(self, scope: Construct, construct_id: str, *, description: str, retain_data: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            description=description,
            enable_key_rotation=True,
            removal_policy=choose_removal_policy(retain_data=retain_data),
        )
        self.add_to_resource_policy(allow_logs(self))


def allow_logs(scope: Construct) -> iam.PolicyStatement:
    """CloudWatch Logs uses a key itself, so the key's own policy must let it, for this account's groups only."""
    groups = Stack.of(scope).format_arn(service="logs", resource="log-group:*")
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
        actions=[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
