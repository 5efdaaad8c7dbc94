"""Image classification: pictures and lists from any mix of S3, EFS and FSx for Lustre, to a live endpoint."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aws_cdk import Aws, CfnOutput, Stack
from constructs import Construct

from containers.images.training import contract as training
from headrace import contract
from headrace.channels import (
    Access,
    Channel,
    EfsChannel,
    FsxLustreChannel,
    InputMode,
    Reference,
    S3Channel,
    VpcConfig,
    needs_vpc,
)
from headrace.normalizer.contract import SETS_PREFIX
from headrace.recipes import ContainerImage, images
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.jobs import Endpoint, TrainingJob
from stacks.constructs.training_pipeline import Parts, TrainingPipeline
from stacks.file_system_stack import FileSystemStack
from stacks.network_stack import NetworkStack
from stacks.normalizer_stack import NormalizerStack
from stacks.registry_stack import RegistryStack
from stacks.settings.environment import Settings
from stacks.settings.workloads import ChannelSettings, NormalizedSettings
from stacks.storage_stack import StorageStack


class ImageStack(Stack):
    """A training job whose channels the settings list, and an endpoint that takes a photograph."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        registry: RegistryStack,
        network: NetworkStack,
        file_systems: FileSystemStack | None,
        normalizer: NormalizerStack | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        self._storage = storage
        self._registry = registry
        self._network = network
        self._efs = file_systems.efs if file_systems else None
        self._fsx = file_systems.fsx if file_systems else None
        self._normalizer = normalizer

        parts = Parts(
            workload=images.RECIPE,
            work=storage.work,
            training=self._describe_training(),
            endpoint=self._describe_endpoint(),
        )
        pipeline = TrainingPipeline(self, "Training", parts=parts, settings=settings, key=storage.key)

        CfnOutput(self, images.RECIPE.state_machine_output, value=pipeline.state_machine.state_machine_arn)
        CfnOutput(self, images.RECIPE.endpoint_name_output, value=parts.endpoint.name)

    def _describe_training(self) -> TrainingJob:
        settings = self._settings.images.training
        channels = [self._create_channel(channel) for channel in settings.channels]
        role = self._create_role(images.TRAINING, kind="TrainingJobs")
        if prefixes := sorted({channel.path for channel in settings.channels if channel.source == "s3"}):
            role.allow_reading(self._storage.raw, *prefixes)
        if sets := sorted({SETS_PREFIX + channel.path for channel in settings.channels if channel.source == "sets"}):
            role.allow_reading(self._storage.work, *sets)
        role.allow_writing(self._storage.work, contract.EXECUTIONS_PREFIX)
        vpc_config = None
        if needs_vpc(channels):
            vpc_config = self._join_network(role, reads_fsx=any(c.source == "fsx" for c in settings.channels))
        environment = self._open_normalizer(role, settings.normalized) if settings.normalized else {}
        return TrainingJob(
            role=role,
            image_uri=self._registry.repositories[images.TRAINING].image_uri,
            metrics=training.METRICS,
            channels=channels,
            vpc_config=vpc_config,
            environment=environment,
            # An isolated container would have no network to the normalizer, and no credentials to sign requests with.
            isolated=settings.normalized is None,
            settings=settings,
            key=self._storage.key,
        )

    def _open_normalizer(self, role: ExecutionRole, settings: NormalizedSettings) -> Mapping[str, str]:
        """Let a role read through the normalizer; what its job needs to know for that."""
        if self._normalizer is None:
            raise AssertionError("the settings let the job read through a normalizer that is off")
        consumer = self._normalizer.consumers[settings.consumer]
        role.add_managed_policy(consumer.readers)
        return {
            training.IMAGES_VARIABLE: consumer.address,
            training.IMAGES_PREFIX_VARIABLE: settings.prefix,
            training.IMAGES_OPTIONS_VARIABLE: urlencode(settings.options),
            training.IMAGES_CONNECTIONS_VARIABLE: str(settings.connections),
            # SageMaker does not promise to tell the region, and an access point's alias does not name it.
            "AWS_DEFAULT_REGION": Aws.REGION,
        }

    def _join_network(self, role: ExecutionRole, *, reads_fsx: bool) -> VpcConfig:
        # FSx for Lustre is in one zone, and SageMaker asks for that zone's subnet alone.
        subnets = [self._fsx.subnet] if self._fsx and reads_fsx else self._network.subnets
        group = self._network.groups.training
        role.allow_network(subnets, group)
        return VpcConfig(
            security_group_ids=(Reference(group.security_group_id),),
            subnets=tuple(Reference(subnet.subnet_id) for subnet in subnets),
        )

    def _create_channel(self, channel: ChannelSettings) -> Channel:
        if channel.source in ("s3", "sets"):
            raw, work = self._storage.raw.bucket_name, self._storage.work.bucket_name
            return S3Channel(
                name=channel.name,
                uri=f"s3://{raw}/{channel.path}"
                if channel.source == "s3"
                else f"s3://{work}/{SETS_PREFIX}{channel.path}",
                content_type=training.CHANNEL_CONTENT_TYPE,
                input_mode=InputMode(channel.input_mode),
            )
        if channel.source == "efs" and self._efs:
            return EfsChannel(
                name=channel.name,
                file_system_id=Reference(self._efs.file_system_id),
                directory_path=channel.path,
                access_mode=Access(channel.access),
                content_type=training.CHANNEL_CONTENT_TYPE,
            )
        if channel.source == "fsx" and self._fsx:
            return FsxLustreChannel(
                name=channel.name,
                file_system_id=Reference(self._fsx.file_system_id),
                mount_name=Reference(self._fsx.mount_name),
                directory_path=channel.path,
                access_mode=Access(channel.access),
                content_type=training.CHANNEL_CONTENT_TYPE,
            )
        raise AssertionError(f"the settings let channel {channel.name} read from {channel.source}, which is off")

    def _describe_endpoint(self) -> Endpoint:
        role = self._create_role(images.INFERENCE, kind="Endpoints")
        role.allow_reading(self._storage.work, contract.EXECUTIONS_PREFIX)
        return Endpoint(
            name=self._settings.endpoint_name(images.RECIPE),
            role=role,
            image_uri=self._registry.repositories[images.INFERENCE].image_uri,
            settings=self._settings.images.endpoint,
            key=self._storage.key,
        )

    def _create_role(self, container: ContainerImage, *, kind: str) -> ExecutionRole:
        repository = self._registry.repositories[container]
        return ExecutionRole(
            self, f"{container.pascal_name}Role", kind=kind, repository=repository, key=self._storage.key
        )
