"""A workload: from raw data to a live endpoint, as its recipe says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from containers.shared import sagemaker
from headrace import contract
from headrace.channels import Channel, VpcConfig
from headrace.golden.contract import REHEARSAL_MODULE
from headrace.recipes import ContainerImage, Recipe
from headrace.recipes.recipe import Preprocessing
from stacks.constructs.channel_sources import ChannelSources, join_network
from stacks.constructs.drift_checks import DriftChecks
from stacks.constructs.endpoint_stops import add_stops
from stacks.constructs.execution_role import ENDPOINTS, PROCESSING_JOBS, TRANSFORM_JOBS, ExecutionRole
from stacks.constructs.golden_requests import GoldenRequests
from stacks.constructs.live_alias import LiveAlias
from stacks.constructs.model_registry import ApprovalRule, ModelPackageGroup
from stacks.constructs.rollback_alarms import RollbackAlarms
from stacks.constructs.starts import Starts
from stacks.constructs.state_machine import MachineLog, StateMachine
from stacks.constructs.tidying import Tidying
from stacks.constructs.training_pipeline import Parts, TrainingPipeline
from stacks.constructs.workload_watch import watch_workload
from stacks.encryption_stack import EncryptionStack
from stacks.engine import Engine
from stacks.file_system_stack import FileSystemStack
from stacks.machine_surroundings import describe_clean_up, describe_log
from stacks.network_stack import NetworkStack
from stacks.normalizer_stack import NormalizerStack
from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import Endpoint, PreprocessingJob, Rehearsal, TrainingJob, TransformJob
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.rollback import allow_looking
from stacks.pipeline.steps import find_earlier
from stacks.pipeline.turns import Turns
from stacks.registry_stack import RegistryStack
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.endpoint import GoldenSettings
from stacks.settings.engines import find_version, find_way
from stacks.settings.environment import Settings, read_commit
from stacks.settings.workloads import ChannelTrainingSettings, ListedTrainingSettings, PreprocessedSettings
from stacks.storage_stack import StorageStack


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The stacks that workloads share."""

    encryption: EncryptionStack
    storage: StorageStack
    registry: RegistryStack
    network: NetworkStack
    file_systems: FileSystemStack
    normalizer: NormalizerStack


class WorkloadStack(Stack):
    """A training job, an endpoint, where the recipe has one a processing job before them, and what runs all of it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        recipe: Recipe,
        settings: Settings,
        around: Surroundings,
        target: BundleTarget,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._recipe = recipe
        self._settings = settings.workload(recipe)
        self._around = around
        self._storage = around.storage
        version = find_version(recipe, self._settings)
        self._engine = Engine(self, recipe=recipe, registry=around.registry, version=version)
        listed = self._settings.training
        channels = listed.channels if isinstance(listed, ListedTrainingSettings) else ()
        self._run_file_system = around.file_systems.describe_for_run(channels)

        parts = self._describe_parts(settings, target)
        training = TrainingPipeline(
            self,
            "Training",
            parts=parts,
            timeout_hours=settings.pipeline.timeout_hours,
            around=describe_clean_up(settings, target),
            log=self._describe_log(settings),
        )
        self.state_machine = training.state_machine
        self._create_registry(settings, parts.registry, training.live)
        self._create_starts(settings, training.live)
        self._watch(settings, parts.endpoint)
        self.drift_machine = self._create_drift_checks(settings, parts, training.live, target)

        self._export(recipe, training.live, parts.endpoint)

    def _export(self, recipe: Recipe, live: LiveAlias, endpoint: Endpoint) -> None:
        CfnOutput(self, recipe.state_machine_output, value=self.state_machine.state_machine_arn)
        CfnOutput(self, recipe.live_alias_output, value=live.arn)
        CfnOutput(self, recipe.endpoint_name_output, value=endpoint.name)
        if built_in := self._engine.built_in:
            CfnOutput(self, recipe.algorithm_output, value=built_in.uri)

    def _describe_parts(self, settings: Settings, target: BundleTarget) -> Parts:
        recipe = self._recipe
        golden = self._settings.endpoint.golden
        return Parts(
            recipe=recipe,
            tags=settings.job_tags(recipe.name),
            work=self._storage.work,
            turns=Turns(work=self._storage.work, key=self._storage.key, when_busy=settings.pipeline.when_busy),
            images=self._engine.list_uris(),
            repositories=self._engine.list_own_repositories(),
            preprocessing=self._describe_preprocessing(recipe.preprocessing, self._settings)
            if recipe.preprocessing and isinstance(self._settings, PreprocessedSettings)
            else None,
            training=self._describe_training(),
            file_system=self._run_file_system,
            rules=self._settings.gate.rules,
            registry=self._describe_registry(settings),
            endpoint=self._describe_endpoint(settings),
            rehearsal=self._describe_rehearsal(golden) if golden else None,
            golden_requests=self._create_golden_requests(golden, settings, target) if golden else None,
            transform=self._describe_transform() if self._settings.is_batch else None,
            tidying=self._create_tidying(keep, settings, target)
            if (keep := self._settings.endpoint.keep_versions)
            else None,
        )

    def _create_registry(self, settings: Settings, registry: ModelRegistry, live: LiveAlias) -> None:
        """The group of the workload's versions, and what deploys those that somebody approves."""
        ModelPackageGroup(
            self,
            "ModelPackageGroup",
            environment=settings.environment,
            workload=self._recipe.name,
            retain_data=settings.retain_data,
        )
        ApprovalRule(self, "Approval", group=registry.group, live=live)

    def _create_starts(self, settings: Settings, live: LiveAlias) -> None:
        """What starts executions by itself, where that is on."""
        workload, name = self._recipe.name, settings.endpoint_name(self._recipe)
        endpoint = self._settings.endpoint
        add_stops(self, endpoint, live, environment=settings.environment, workload=workload, name=name)
        if (start := self._settings.start).is_on:
            prefix = self._recipe.raw_prefix
            Starts(self, "Starts", settings=start, live=live, raw=self._storage.raw, prefix=prefix)

    def _create_drift_checks(
        self, settings: Settings, parts: Parts, live: LiveAlias, target: BundleTarget
    ) -> StateMachine | None:
        """What checks requests for drift, where that is on."""
        if not (drift := self._settings.drift):
            return None
        checks = DriftChecks(
            self,
            "DriftChecks",
            settings=drift,
            parts=parts,
            raw=self._storage.raw,
            live=live,
            clean_up=describe_clean_up(settings, target),
            log=self._describe_log(settings, part="-drift"),
        )
        return checks.state_machine

    def _watch(self, settings: Settings, endpoint: Endpoint) -> None:
        """Add what lets people know how the workload does, where alarms are on."""
        if settings.alarms:
            watch_workload(
                self,
                settings.alarms,
                environment=settings.environment,
                workload=self._recipe.name,
                endpoint_name=endpoint.name,
                endpoint=self._settings.endpoint,
            )

    def _describe_log(self, settings: Settings, part: str = "") -> MachineLog:
        name, days = f"{self._recipe.name}{part}", settings.pipeline.log_retention_days
        return describe_log(settings, name, days=days, key=self._storage.key)

    def _describe_preprocessing(self, step: Preprocessing, section: PreprocessedSettings) -> PreprocessingJob:
        settings = section.preprocessing
        role = self._create_role(step.image, kind="ProcessingJobs")
        role.allow_reading(self._storage.raw, self._recipe.raw_prefix)
        role.allow_outputs(self._storage.work, contract.executions_prefix(self._recipe.name))
        arguments = [(argument, str(getattr(settings, key))) for argument, key in step.arguments.items()]
        return PreprocessingJob(
            role=role,
            image_uri=self._engine.find_uri(step.image),
            arguments=[*(part for argument in arguments for part in argument), *step.options],
            source_uri=f"s3://{self._storage.raw.bucket_name}/{self._recipe.raw_prefix}",
            input_path=f"{sagemaker.ML_ROOT}/{step.input_folder}",
            output_paths={name: f"{sagemaker.ML_ROOT}/{folder}" for name, folder in step.output_folders.items()},
            settings=settings,
            key=self._storage.key,
        )

    def _describe_training(self) -> TrainingJob:
        step, settings = self._recipe.training, self._settings.training
        role = self._create_role(step.image, kind="TrainingJobs")
        channels = self._create_channels(role)
        role.allow_outputs(self._storage.work, contract.executions_prefix(self._recipe.name))
        if settings.spot:
            # SageMaker stores checkpoints while the program runs, and looks for those of an earlier instance.
            checkpoints = contract.checkpoints_prefix(self._recipe.name)
            role.allow_reading(self._storage.work, checkpoints)
            role.allow_outputs(self._storage.work, checkpoints)
        normalized = settings.normalized if isinstance(settings, ChannelTrainingSettings) else None
        return TrainingJob(
            role=role,
            image_uri=self._engine.find_uri(step.image),
            # Those of a built-in algorithm are SageMaker's own, and a request that defines any is refused.
            metrics={} if self._engine.built_in else step.metrics,
            channels=channels,
            vpc_config=self._join_network(role, channels),
            environment=self._around.normalizer.consumers[normalized.consumer].let_job_in(
                role, normalized, step.normalizer
            )
            if normalized and step.normalizer
            else {},
            # An isolated container would have no network to the normalizer, and no credentials to sign requests with.
            isolated=normalized is None,
            settings=settings,
            key=self._storage.key,
        )

    def _create_channels(self, role: ExecutionRole) -> list[Channel]:
        """The training job's channels: those of the recipe, or those that the settings list."""
        step, settings, file_systems = self._recipe.training, self._settings.training, self._around.file_systems
        sources = ChannelSources(
            raw=self._storage.raw,
            work=self._storage.work,
            workload=self._recipe.name,
            efs=file_systems.efs,
            fsx=self._run_file_system or file_systems.fsx,
        )
        if isinstance(settings, ListedTrainingSettings):
            content_type = settings.listed_content_type or step.listed_content_type
            channels = [sources.read_listed(channel, content_type=content_type) for channel in settings.channels]
        else:
            channels = [
                sources.read_output(channel.name, channel.output, channel.content_type, find_way(channel, settings))
                if channel.output
                else sources.read_raw(channel.name, self._recipe.raw_prefix, content_type=channel.content_type)
                for channel in step.channels
                if self._settings.uses_channel(channel.name)
            ]
        if settings.earlier_version:
            channels.append(sources.read_earlier(jsonata(find_earlier.ARCHIVE)))
        sources.allow_reading(role)
        return channels

    def _join_network(self, role: ExecutionRole, channels: list[Channel]) -> VpcConfig | None:
        network, fsx = self._around.network, self._run_file_system or self._around.file_systems.fsx
        return join_network(role, channels, subnets=network.subnets, group=network.groups.training, fsx=fsx)

    def _describe_endpoint(self, settings: Settings) -> Endpoint:
        role = self._create_model_role()
        alarms = self._create_alarms(settings)
        if alarms:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
            role.add_to_policy(allow_looking())
        return Endpoint(
            name=settings.endpoint_name(self._recipe),
            role=role,
            image_uri=self._engine.find_uri(self._recipe.serving.image),
            settings=self._settings.endpoint,
            key=self._storage.key,
            captured_uri=f"s3://{self._storage.work.bucket_name}/{contract.captured_prefix(self._recipe.name)}",
            alarms=alarms,
        )

    def _create_model_role(self) -> ExecutionRole:
        """The role of the model: it reads that, and for a transform job also the input, and writes the output."""
        is_batch = self._settings.is_batch
        # One name for both: an endpoint from before goes on with the role when executions begin to transform.
        name = self._name_role(self._recipe.serving.image, kind=ENDPOINTS)
        repository = self._engine.find_repository(self._recipe.serving.image)
        kind = TRANSFORM_JOBS if is_batch else ENDPOINTS
        role = ExecutionRole(self, name, kind=kind, repository=repository, key=self._storage.key)
        role.allow_reading(self._storage.work, contract.EXECUTIONS_PREFIX)
        if is_batch:
            role.allow_reading(self._storage.raw, self._archives_prefix, self._transform_input)
            role.allow_outputs(self._storage.work, contract.executions_prefix(self._recipe.name))
        else:
            role.allow_reading(self._storage.raw, self._archives_prefix)
            if self._settings.endpoint.capture:
                role.allow_outputs(self._storage.work, contract.captured_prefix(self._recipe.name))
        return role

    def _describe_transform(self) -> TransformJob:
        return TransformJob(
            source_uri=f"s3://{self._storage.raw.bucket_name}/{self._transform_input}",
            content_type=self._recipe.serving.content_type,
            settings=self._settings.transform,
            key=self._storage.key,
        )

    def _describe_rehearsal(self, settings: GoldenSettings) -> Rehearsal:
        image = self._recipe.serving.image
        repository = self._engine.find_repository(image)
        role = ExecutionRole(self, "RehearsalRole", kind=PROCESSING_JOBS, repository=repository, key=self._storage.key)
        prefix = contract.golden_prefix(self._recipe.name)
        role.allow_reading(self._storage.raw, prefix, self._archives_prefix)
        role.allow_reading(self._storage.work, contract.EXECUTIONS_PREFIX)
        return Rehearsal(
            role=role,
            image_uri=self._engine.find_uri(image),
            program=f"{image.package}.{REHEARSAL_MODULE}",
            requests_uri=f"s3://{self._storage.raw.bucket_name}/{prefix}{settings.requests}",
            settings=settings,
            key=self._storage.key,
        )

    def _create_golden_requests(
        self, golden: GoldenSettings, settings: Settings, target: BundleTarget
    ) -> lambda_.IFunction:
        return GoldenRequests(
            self,
            "GoldenRequests",
            tags=settings.job_tags(self._recipe.name),
            raw=self._storage.raw,
            object_key=f"{contract.golden_prefix(self._recipe.name)}{golden.requests}",
            key=self._storage.key,
            target=target,
            log=self._describe_log(settings),
        ).function

    def _create_tidying(self, keep: int, settings: Settings, target: BundleTarget) -> lambda_.IFunction:
        return Tidying(
            self,
            "Tidying",
            tags=settings.job_tags(self._recipe.name),
            group=contract.model_package_group_name(settings.environment, self._recipe.name),
            keep=keep,
            timeout_hours=settings.pipeline.timeout_hours,
            target=target,
            log=self._describe_log(settings),
        ).function

    def _create_alarms(self, settings: Settings) -> Sequence[str]:
        """The names of the alarms that roll an update of the endpoint back."""
        endpoint = self._settings.endpoint
        if not endpoint.is_watched:
            return ()
        return RollbackAlarms(
            self,
            "RollbackAlarms",
            environment=settings.environment,
            workload=self._recipe.name,
            endpoint_name=settings.endpoint_name(self._recipe),
            settings=endpoint.update.alarms,
            asks_golden_requests=endpoint.golden is not None,
            period_seconds=endpoint.metrics_seconds,
        ).names

    def _describe_registry(self, settings: Settings) -> ModelRegistry:
        group = contract.model_package_group_name(settings.environment, self._recipe.name)
        return ModelRegistry(
            group=group,
            version_arns=self.format_arn(service="sagemaker", resource="model-package", resource_name=f"{group}/"),
            archives=(
                (self._storage.work, contract.EXECUTIONS_PREFIX),
                (self._storage.raw, self._archives_prefix),
            ),
            approval=self._settings.approval,
            image_uri=self._engine.find_uri(self._recipe.serving.image),
            content_type=self._recipe.serving.content_type,
            commit=read_commit(self.node),
        )

    @property
    def _archives_prefix(self) -> str:
        return f"{contract.ARCHIVES_PREFIX}{self._recipe.name}/"

    @property
    def _transform_input(self) -> str:
        return f"{contract.transform_prefix(self._recipe.name)}{self._settings.transform.input}"

    def _create_role(self, image: ContainerImage, *, kind: str) -> ExecutionRole:
        repository = self._engine.find_repository(image)
        name = self._name_role(image, kind=kind)
        return ExecutionRole(self, name, kind=kind, repository=repository, key=self._storage.key)

    def _name_role(self, image: ContainerImage, *, kind: str) -> str:
        """The id of one step's role; a container image that runs in several has one in each."""
        name = image.pascal_name + (kind if self._recipe.count_steps(image) > 1 else "")
        return f"{name}Role"
