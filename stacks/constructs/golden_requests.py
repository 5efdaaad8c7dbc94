"""The function that asks an endpoint golden requests while it is updated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.golden.contract import NAMESPACE
from lambdas import golden_requests
from lambdas.golden_requests import contract
from lambdas.golden_requests.contract import Variable
from stacks.constructs.pipeline_function import PipelineFunction, Program
from stacks.constructs.state_machine import MachineLog
from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.ownership import RESOURCE_TAG, in_this_account, with_owner_tags
from stacks.settings.bundle_target import BundleTarget

_PROGRAM: Final = Program(
    source=Path(golden_requests.__path__[0]),
    handler=contract.FUNCTION_HANDLER,
    memory_mib=contract.MEMORY_MIB,
    timeout_seconds=contract.TIMEOUT_SECONDS,
)
_ENDPOINTS: Final = "endpoint/*"


class GoldenRequests(PipelineFunction):
    """May read one file of golden requests, ask the workload's endpoints, and say how many answers were wrong.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        tags: The tags of what the workload's executions make.
        raw: The bucket of the requests.
        object_key: Their key in it.
        key: The customer's key of that bucket.
        target: Where its code is to run.
        log: How the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tags: Mapping[str, str],
        raw: s3.IBucket,
        object_key: str,
        key: kms.IKey | None,
        target: BundleTarget,
        log: MachineLog,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=_PROGRAM,
            environment={Variable.BUCKET: raw.bucket_name, Variable.KEY: object_key},
            target=target,
            log=log,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[raw.arn_for_objects(object_key)], conditions=in_this_account()
            )
        )
        if key:
            self.role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn]))
        self._allow_asking(tags)
        self._allow_metric()

    def _allow_asking(self, tags: Mapping[str, str]) -> None:
        endpoints = Stack.of(self).format_arn(service="sagemaker", resource="endpoint", resource_name="*")
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:InvokeEndpoint"],
                resources=[endpoints],
                conditions={"StringEquals": with_owner_tags(RESOURCE_TAG, tags)},
            )
        )
        acknowledge(
            self.role,
            {
                wildcard_in_account(
                    "sagemaker", _ENDPOINTS
                ): "An execution's input names the endpoint; only those with "
                "this environment's and workload's tags can be asked."
            },
        )

    def _allow_metric(self) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            )
        )
        acknowledge(
            self.role,
            {wildcard_resource("*"): "CloudWatch knows no resources for metrics; a condition limits the namespace."},
        )
