"""The key of the customer that encrypts what the platform stores, where the settings ask for one."""

from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.customer_key import CustomerKey
from stacks.settings.storage import EncryptionSettings


class EncryptionStack(Stack):
    """One key, rotated every year, for buckets, volumes, file systems and logs; by setting."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EncryptionSettings,
        retain_data: bool,
        has_fsx: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key: CustomerKey | None = None

        if settings.customer_key:
            self.key = CustomerKey(
                self,
                "Key",
                description="Encrypts what Headrace stores: buckets, volumes, file systems and logs",
                retain_data=retain_data,
            )
            if has_fsx:
                self._allow_fsx(self.key)

    def _allow_fsx(self, key: CustomerKey) -> None:
        """FSx reads and writes the linked bucket as its own role, which only the key's policy can let use the key.

        The role is made with the file system and named after it, so the statement admits this account's roles of that
        kind, through S3 only:
        https://docs.aws.amazon.com/fsx/latest/LustreGuide/s3-server-side-encryption-support.html
        """
        roles = (
            f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/aws-service-role/"
            "s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_*"
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": Aws.ACCOUNT_ID,
                        "kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com",
                    },
                    "ArnLike": {"aws:PrincipalArn": roles},
                },
            )
        )
