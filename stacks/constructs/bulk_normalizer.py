"""The normalizer's batch door: a state machine whose one processing job normalizes many photographs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from headrace.channels import Reference, VpcConfig
from headrace.normalizer import contract
from headrace.recipes import images
from stacks.constructs.clean_up import CleanUp, CleanUpSurroundings
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.pipeline import bulk_input, quota
from stacks.pipeline.asl import Task, jsonata
from stacks.pipeline.failure import end_badly
from stacks.pipeline.jobs import render_resources
from stacks.pipeline.join import Pipeline, join
from stacks.pipeline.names import name_for_attempt
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.steps.name_set import name_set
from stacks.pipeline.steps.normalize import normalize
from stacks.pipeline.steps.tell_set import tell_set
from stacks.settings.normalizer import BulkSettings

# What the machine may wait for instances before and between attempts.
_WAITING_SECONDS: Final = 2 * 3600


@dataclass(frozen=True, kw_only=True)
class BulkSurroundings:
    """Where the job reads, writes and runs.

    Args:
        raw: Where photographs are.
        work: Where normalized images go.
        key: The customer's key, for both and for the volume.
        repository: The repository of the job's container image.
        image_uri: The container image's URI, tag included.
        subnets: The network it runs in.
        group: What it is there.
        tags: Its tags.
    """

    raw: s3.IBucket
    work: s3.IBucket
    key: kms.IKey | None
    repository: ecr.IRepository
    image_uri: str
    subnets: Sequence[ec2.ISubnet]
    group: ec2.ISecurityGroup
    tags: Mapping[str, str]


class BulkNormalizer(Construct):
    """A state machine whose executions each make or complete one set of normalized images.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: Its job's machine and limits.
        around: Where the job reads, writes and runs.
        clean_up: What cleans up after it.
        log: Where the state machine logs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: BulkSettings,
        around: BulkSurroundings,
        clean_up: CleanUpSurroundings,
        log: MachineLog,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._around = around

        self._role = self._create_role()
        clean_up_function = CleanUp(self, "CleanUp", around=clean_up, log=log)
        pipeline = self._join_steps(end_badly(clean_up_function.function))
        clean_up_function.allow_removing(pipeline, around.tags)
        self.state_machine = self._create_state_machine(pipeline, log)
        clean_up_function.follow(self.state_machine)

    def _create_role(self) -> ExecutionRole:
        role = ExecutionRole(
            self, "Role", kind="ProcessingJobs", repository=self._around.repository, key=self._around.key
        )
        role.allow_objects(["s3:GetObject"], self._around.raw, images.RECIPE.raw_prefix)
        role.allow_objects(["s3:GetObject", "s3:PutObject"], self._around.work, contract.SETS_PREFIX)
        role.allow_listing_all(self._around.raw, self._around.work)
        role.allow_network(self._around.subnets, self._around.group)
        return role

    def _join_steps(self, failed: Task) -> Pipeline:
        tasks = SageMakerTasks(scope=self, tags=self._around.tags)
        steps = (name_set(self._around.work), normalize(tasks, self._render_job(), self._role), tell_set)
        return join(*steps, failed=failed, counted=quota.VARIABLES)

    def _create_state_machine(self, pipeline: Pipeline, log: MachineLog) -> StateMachine:
        return StateMachine(
            self,
            "StateMachine",
            pipeline=pipeline,
            comment="images: from photographs to a set of normalized images",
            timeout_seconds=self._settings.max_runtime_seconds + _WAITING_SECONDS,
            log=log,
        )

    def _render_job(self) -> dict[str, Any]:
        """CreateProcessingJob's request."""
        network = VpcConfig(
            security_group_ids=(Reference(self._around.group.security_group_id),),
            subnets=tuple(Reference(subnet.subnet_id) for subnet in self._around.subnets),
        )
        return {
            "ProcessingJobName": jsonata(name_for_attempt("$job_name")),
            "RoleArn": self._role.role_arn,
            "AppSpecification": {
                "ImageUri": self._around.image_uri,
                "ContainerArguments": jsonata(
                    bulk_input.list_arguments(
                        f"s3://{self._around.raw.bucket_name}/",
                        max_refused=self._settings.max_refused,
                        connections=self._settings.connections,
                        is_packed=self._settings.packed,
                    )
                ),
            },
            # SageMaker does not promise to tell the region.
            "Environment": {"AWS_DEFAULT_REGION": Aws.REGION},
            "ProcessingResources": {
                "ClusterConfig": render_resources(self._settings, self._around.key, count=self._settings.instances)
            },
            # Not isolated, as it speaks to S3; its subnets lead nowhere else unless the network's settings say so.
            "NetworkConfig": {"EnableNetworkIsolation": False, "VpcConfig": network.render()},
            "StoppingCondition": {"MaxRuntimeInSeconds": self._settings.max_runtime_seconds},
        }
