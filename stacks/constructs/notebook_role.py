"""The role that people have in the notebook instance."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.constructs.executions import allow_starting, allow_watching
from stacks.constructs.sagemaker_role import SageMakerRole
from stacks.constructs.state_machine import StateMachine
from stacks.nag import acknowledge


class NotebookRole(SageMakerRole):
    """The platform's data and pipelines, the notebook's own logs, and stopping the notebook itself: nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.allow_logs(
            "log-group:/aws/sagemaker/NotebookInstances*",
            "SageMaker names the streams of a notebook's logs; the group is that of notebook instances only.",
        )
        if key:
            self.allow_key(key)

    def allow_data(self, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
        """Read and write the objects below these prefixes of a bucket."""
        self.allow_listing(bucket, prefixes)
        for prefix in prefixes:
            self.allow_objects(
                ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"], bucket, prefix
            )

    def allow_executions(self, machines: Sequence[StateMachine]) -> None:
        """Start the pipelines and watch them."""
        for permission in (allow_starting(machines), *allow_watching(Stack.of(self), machines)):
            self.add_to_policy(permission.statement)
            acknowledge(self, permission.findings)

    def allow_stopping(self, notebook: sagemaker.CfnNotebookInstance) -> None:
        """Let the notebook stop itself."""
        # As its own policy: the instance needs the role, so the role's policy cannot need the instance.
        policy = iam.Policy(self, "StopItself", roles=[self])
        policy.add_statements(
            iam.PolicyStatement(
                actions=["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                resources=[notebook.ref],
            )
        )
