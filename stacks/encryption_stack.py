"""The key of the customer that encrypts what the platform stores, where the settings ask for one."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from headrace import contract
from stacks.constructs.customer_key import CustomerKey, allow_logs
from stacks.settings.storage import EncryptionSettings


class EncryptionStack(Stack):
    """One key for buckets, volumes, file systems and logs, by setting: rotated every year, or somebody else's."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EncryptionSettings,
        retain_data: bool,
        has_efs: bool,
        has_fsx: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key: kms.IKey | None = None

        if settings.existing_key:
            self.key = kms.Key.from_key_arn(self, "Key", settings.existing_key)
            services = [name for name, is_used in (("elasticfilesystem", has_efs), ("fsx", has_fsx)) if is_used]
            statements = [allow_logs(self), *([_allow_file_systems(services)] if services else [])]
            self._publish([*statements, *([_allow_fsx()] if has_fsx else [])])
        elif settings.customer_key:
            key = CustomerKey(
                self,
                "Key",
                description="Encrypts what Headrace stores: buckets, volumes, file systems and logs",
                retain_data=retain_data,
            )
            if has_fsx:
                key.add_to_resource_policy(_allow_fsx())
            self.key = key

    def _publish(self, statements: Sequence[iam.PolicyStatement]) -> None:
        """Say in the template what the policy of somebody else's key must have; the stack has no resources then."""
        self.template_options.metadata = {
            contract.KEY_POLICY_METADATA: [self.resolve(statement.to_statement_json()) for statement in statements]
        }


def _allow_file_systems(services: Sequence[str]) -> iam.PolicyStatement:
    """What making a file system needs of its key, through these services only.

    https://docs.aws.amazon.com/efs/latest/ug/EFSKMS.html,
    https://docs.aws.amazon.com/fsx/latest/LustreGuide/encryption-at-rest.html#FSXKMS
    """
    return iam.PolicyStatement(
        principals=[iam.AccountPrincipal(Aws.ACCOUNT_ID)],
        actions=[
            *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"),
            *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        ],
        resources=["*"],
        conditions={
            "StringEquals": {
                "kms:CallerAccount": Aws.ACCOUNT_ID,
                "kms:ViaService": [f"{service}.{Aws.REGION}.amazonaws.com" for service in services],
            }
        },
    )


def _allow_fsx() -> iam.PolicyStatement:
    """FSx reads and writes the linked bucket as its own role, which only the key's policy can let use the key.

    The role is made with the file system and named after it, so the statement admits this account's roles of that
    kind, through S3 only:
    https://docs.aws.amazon.com/fsx/latest/LustreGuide/s3-server-side-encryption-support.html
    """
    roles = (
        f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/aws-service-role/"
        "s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_*"
    )
    return iam.PolicyStatement(
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
