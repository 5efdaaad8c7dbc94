"""The function that keeps, beside a model, what it was made from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.contract import EXECUTIONS_PREFIX, executions_prefix
from lambdas import registrar
from lambdas.registrar import contract
from lambdas.registrar.contract import Variable
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_objects
from stacks.ownership import in_this_account
from stacks.settings.bundle_target import BundleTarget

_PROGRAM: Final = Program(
    source=Path(registrar.__path__[0]),
    handler=contract.FUNCTION_HANDLER,
    memory_mib=contract.MEMORY_MIB,
    timeout_seconds=contract.TIMEOUT_SECONDS,
)


class Registrar(PipelineFunction):
    """May read and write what executions keep in the work bucket, and look up the workload's container images.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        work: Where executions keep what they make.
        workload: Whose executions these are.
        key: The customer's key of that bucket.
        repositories: Those of the workload's own container images; none where a built-in algorithm does everything.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        work: s3.IBucket,
        workload: str,
        key: kms.IKey | None,
        repositories: Sequence[ecr.IRepository],
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=_PROGRAM,
            environment={Variable.BUCKET: work.bucket_name, Variable.PREFIX: executions_prefix(workload)},
            target=target,
            log=log,
        )
        self._allow_records(work, executions_prefix(workload))
        if repositories:
            self.role.add_to_policy(
                iam.PolicyStatement(
                    actions=["ecr:DescribeImages"], resources=[repository.repository_arn for repository in repositories]
                )
            )
        if key:
            self.role.add_to_policy(
                iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn])
            )

    def _allow_records(self, work: s3.IBucket, prefix: str) -> None:
        below = f"{prefix}*"
        # What jobs have left that began before executions wrote below the prefix of their workload; it is only read.
        early = f"{EXECUTIONS_PREFIX}*/output/output.tar.gz"
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[work.bucket_arn],
                conditions=in_this_account({"StringLike": {"s3:prefix": [below, early]}}),
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[work.arn_for_objects(below)],
                conditions=in_this_account(),
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[work.arn_for_objects(early)], conditions=in_this_account()
            )
        )
        acknowledge(
            self.role,
            {
                wildcard_objects(work, below): "They are named after executions and jobs; "
                f"the prefix {prefix} and the two listed actions limit what the function reaches.",
                wildcard_objects(work, early): "They are named after executions and jobs; "
                "the name of the file and the single action limit what the function reaches.",
            },
        )
