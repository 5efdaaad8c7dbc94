"""The normalizer's batch door: a state machine that has one processing job make the pictures of many images."""

from typing import Any, Final

from aws_cdk import Aws
from constructs import Construct

from containers.normalizer import contract as preprocessing
from headrace.channels import Reference, VpcConfig
from headrace.normalizer import contract
from headrace.normalizer.contract import BulkInput
from headrace.recipes import images, normalizer
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.constructs.state_machine import FAILED, FAILURE, StateMachine, name_log_group
from stacks.nag import acknowledge, wildcard_in_account
from stacks.network_stack import NetworkStack
from stacks.pipeline import bulk_input, names
from stacks.pipeline.asl import Finish, Pass, State, jsonata, render_definition
from stacks.pipeline.jobs import render_resources
from stacks.pipeline.sagemaker_tasks import SageMakerTasks, name_for_attempt
from stacks.registry_stack import RegistryStack
from stacks.settings.environment import Settings
from stacks.settings.normalizer import BulkSettings
from stacks.storage_stack import StorageStack

# What the machine may wait for instances before and between attempts.
_WAITING_SECONDS: Final = 2 * 3600


class BulkNormalizer(Construct):
    """A state machine whose executions each make or complete one set of pictures.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        bulk: Its job's machine and limits.
        settings: Those of the whole environment.
        storage: Where images are and pictures go.
        registry: Where the job's image is.
        network: Where the job runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bulk: BulkSettings,
        settings: Settings,
        storage: StorageStack,
        registry: RegistryStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bulk = bulk
        self._storage = storage
        self._network = network
        self._repository = registry.repositories[normalizer.BULK]

        self._role = self._create_role()
        log_group = ExpiringLogGroup(
            self,
            "Logs",
            days=settings.normalizer.log_retention_days,
            key=storage.key,
            retain_data=settings.retain_data,
            log_group_name=name_log_group(settings.environment, "normalizer"),
        )
        self.state_machine = self._create_state_machine(log_group)

    def _create_role(self) -> ExecutionRole:
        role = ExecutionRole(self, "Role", kind="ProcessingJobs", repository=self._repository, key=self._storage.key)
        role.allow_reading(self._storage.raw, images.RECIPE.raw_prefix)
        role.allow_reading(self._storage.work, contract.SETS_PREFIX)
        role.allow_writing(self._storage.work, contract.SETS_PREFIX)
        role.allow_telling_missing(self._storage.raw, self._storage.work)
        role.allow_network(self._network.subnets, self._network.groups.processing)
        return role

    def _create_state_machine(self, log_group: ExpiringLogGroup) -> StateMachine:
        task = SageMakerTasks(scope=self, on_failure=FAILED).run_processing_job(
            "Normalize",
            self._render_job(),
            role=self._role,
            next_state="Done",
            assign={"report": jsonata("$exists($states.result.ExitMessage) ? $states.result.ExitMessage : ''")},
        )
        definition = render_definition(
            self._chain(task.state),
            start_at="Read Input",
            comment="images: from photographs to a set of pictures",
            timeout_seconds=self._bulk.max_runtime_seconds + _WAITING_SECONDS,
        )
        machine = StateMachine(
            self, "StateMachine", definition=definition, statements=task.statements, log_group=log_group
        )
        acknowledge(
            machine.role,
            {
                wildcard_in_account("sagemaker", "processing-job/*"): "Jobs are named after executions, which are not "
                "known beforehand; what runs is limited by passing only this door's own role, and only to SageMaker."
            },
        )
        return machine

    def _chain(self, normalize: State) -> dict[str, State]:
        return {
            "Read Input": self._read_input(next_state="Check Input"),
            "Check Input": bulk_input.check_input(next_state="Normalize"),
            "Normalize": normalize,
            "Done": Finish(
                output={
                    BulkInput.NAME: jsonata(f"$request.{BulkInput.NAME}"),
                    "JobName": jsonata("$job_name"),
                    "Destination": jsonata("$destination"),
                    "Pictures": jsonata(f"$destination & '{preprocessing.PICTURES_PREFIX}'"),
                    "Report": jsonata("$report"),
                }
            ),
            FAILED: FAILURE,
        }

    def _read_input(self, *, next_state: str) -> Pass:
        sets = f"s3://{self._storage.work.bucket_name}/{contract.SETS_PREFIX}"
        return Pass(
            assign={
                "request": jsonata("$states.input"),
                "job_name": jsonata(names.name_from_execution()),
                "destination": jsonata(f"'{sets}' & $states.input.{BulkInput.NAME} & '/'"),
            },
            next=next_state,
        )

    def _render_job(self) -> dict[str, Any]:
        """CreateProcessingJob's request."""
        network = VpcConfig(
            security_group_ids=(Reference(self._network.groups.processing.security_group_id),),
            subnets=tuple(Reference(subnet.subnet_id) for subnet in self._network.subnets),
        )
        return {
            "ProcessingJobName": jsonata(name_for_attempt("$job_name")),
            "RoleArn": self._role.role_arn,
            "AppSpecification": {
                "ImageUri": self._repository.image_uri,
                "ContainerArguments": jsonata(
                    bulk_input.list_arguments(
                        f"s3://{self._storage.raw.bucket_name}/",
                        max_refused=self._bulk.max_refused,
                        connections=self._bulk.connections,
                    )
                ),
            },
            # SageMaker does not promise to tell the region.
            "Environment": {"AWS_DEFAULT_REGION": Aws.REGION},
            "ProcessingResources": {"ClusterConfig": render_resources(self._bulk, self._storage.key)},
            # Not isolated, as it speaks to S3; its subnets lead nowhere else unless the network's settings say so.
            "NetworkConfig": {"EnableNetworkIsolation": False, "VpcConfig": network.render()},
            "StoppingCondition": {"MaxRuntimeInSeconds": self._bulk.max_runtime_seconds},
        }
