"""The key of the customer that encrypts what the platform stores, where the settings ask for one."""

from typing import Any

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EncryptionStack(Stack):
    """One key, rotated every year, for buckets, volumes, file systems and logs."""

    def __init__(self, scope: Construct, construct_id: str, *, retain_data: bool, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts what Millrace stores: buckets, volumes, file systems and logs",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN if retain_data else RemovalPolicy.DESTROY,
        )
        self._allow_logs()

    def _allow_logs(self) -> None:
        """CloudWatch Logs uses the key itself, so the key's own policy must let it, for this account's groups only."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
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
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": self.format_arn(service="logs", resource="log-group:*")
                    }
                },
            )
        )
