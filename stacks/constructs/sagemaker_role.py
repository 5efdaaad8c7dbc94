"""What every role that SageMaker assumes has in common."""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.nag import acknowledge, wildcard_in_account, wildcard_objects
from stacks.ownership import in_this_account
from stacks.pipeline.permission import allow_volumes


class SageMakerRole(iam.Role):
    """A role that SageMaker assumes for this account only; it may do nothing yet."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
        )

    def allow_logs(self, log_group: str, reason: str) -> None:
        """Let it write logs; the reason says what limits the wildcard in the group's name."""
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[Stack.of(self).format_arn(service="logs", resource=log_group)],
            )
        )
        acknowledge(self, {wildcard_in_account("logs", log_group): reason})

    def allow_listing(self, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
        """Let it list the objects below some prefixes."""
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions=in_this_account({"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}),
            )
        )

    def allow_objects(self, actions: Sequence[str], bucket: s3.IBucket, prefix: str) -> None:
        """Let it do something with the objects below a prefix."""
        self.add_to_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=[bucket.arn_for_objects(f"{prefix}*")],
                conditions=in_this_account(),
            )
        )
        acknowledge(
            self,
            {
                wildcard_objects(bucket, f"{prefix}*"): "The names of objects are not known beforehand; "
                f"the prefix {prefix} and the listed actions limit what is reached."
            },
        )

    def allow_decrypting(self, key: kms.IKey) -> None:
        """Let it read objects that the key encrypts."""
        self.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn]))

    def allow_key(self, key: kms.IKey) -> None:
        """Let it use the key for objects, and SageMaker use it for the role's volumes."""
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], resources=[key.key_arn]
            )
        )
        self.add_to_policy(allow_volumes(key))
