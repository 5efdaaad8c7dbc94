"""The role that people have in the notebook instance."""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.constructs.execution_role import allow_key
from stacks.nag import acknowledge, wildcard_in_account, wildcard_objects

LOG_GROUP = "log-group:/aws/sagemaker/NotebookInstances*"


class NotebookRole(iam.Role):
    """The platform's data, the notebook's own logs, and stopping the notebook itself: nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[Stack.of(self).format_arn(service="logs", resource=LOG_GROUP)],
            )
        )
        acknowledge(
            self,
            {
                wildcard_in_account("logs", LOG_GROUP): "SageMaker names the streams of a notebook's logs; "
                "the group is that of notebook instances only."
            },
        )
        if key:
            allow_key(self, key)

    def allow_data(self, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
        """Read and write the objects below these prefixes of a bucket."""
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
            )
        )
        for prefix in prefixes:
            self.add_to_policy(
                iam.PolicyStatement(
                    actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                    resources=[bucket.arn_for_objects(f"{prefix}*")],
                )
            )
            acknowledge(
                self,
                {
                    wildcard_objects(bucket, f"{prefix}*"): "The names of objects are not known beforehand; "
                    f"the prefix {prefix} and the listed actions limit what people reach."
                },
            )

    def allow_stopping(self, notebook: sagemaker.CfnNotebookInstance) -> None:
        """Let the notebook stop itself."""
        # As a policy of its own: the instance needs the role, so the role's policy cannot need the instance.
        policy = iam.Policy(self, "StopItself", roles=[self])
        policy.add_statements(
            iam.PolicyStatement(
                actions=["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                resources=[notebook.ref],
            )
        )
