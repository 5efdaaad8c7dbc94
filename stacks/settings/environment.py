"""The settings of one environment: read from the CDK context once, checked whole, then passed down."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from headrace import contract
from headrace.normalizer.contract import default_object_lambda_name, pascal_name
from headrace.recipes import Recipe, list_recipes
from stacks.settings.alarms import AlarmSettings
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.existing import ExistingResource
from stacks.settings.file_systems import FileSystemSettings
from stacks.settings.jobs import CHECKPOINT_DAYS, PipelineSettings
from stacks.settings.mistakes import SettingsError, describe
from stacks.settings.network import SAGEMAKER_API_ENDPOINT, NetworkSettings
from stacks.settings.normalizer import ConsumerSettings, NormalizerSettings, check_access_point_name
from stacks.settings.notebook import NotebookSettings
from stacks.settings.people import PeopleSettings
from stacks.settings.region import Region, list_not_offered
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, Setting
from stacks.settings.storage import EncryptionSettings, RegistrySettings, StorageSettings
from stacks.settings.tags import WORKLOAD_TAG, Tags
from stacks.settings.workloads import (
    ChannelTrainingSettings,
    NormalizedSettings,
    WorkloadSections,
    WorkloadSettings,
)

if TYPE_CHECKING:
    # It starts jsii, which commands that only read a setting would wait for.
    from constructs import Node

ENVIRONMENT_KEY = "env"
ENVIRONMENTS_KEY = "environments"
ENVIRONMENT_FIELD = "environment"
_COMMIT = r"[A-Za-z0-9._/+-]{1,128}"


def _default_tags(known: Mapping[str, object]) -> Mapping[str, str]:
    return {"project": "headrace", "environment": str(known["environment"])}


class Settings(WorkloadSections):
    """Everything that may differ between environments; what most share is a default."""

    environment: Annotated[str, StringConstraints(pattern=contract.ENVIRONMENT_NAME)]
    region: Annotated[
        Region | None,
        Allowed("a Region such as eu-central-1, or null"),
        Setting(
            "where it is deployed, refusing what it does not offer; null for the Region of your AWS clients, unchecked",
            cost="prices differ",
            change=Change(
                "another environment begins in the other Region; the first one stays where it is, and on the bill",
                move="move the data, see [moving to another Region](changing.md#moving-to-another-region)",
            ),
        ),
    ] = None
    retain_data: Annotated[
        bool,
        Setting(
            "whether buckets, EFS, container images, keys and logs stay when their stack is deleted, and stacks are "
            "protected from deletion",
            cost="what stays goes on costing",
            change=IN_PLACE,
        ),
    ]
    tags: Annotated[
        Tags,
        Setting(
            f"the tags of everything that can have them; what executions make also has `{WORKLOAD_TAG}`",
            cost=NOTHING,
            change=Change("updated in place; on jobs, models and endpoints from the next execution on"),
        ),
    ] = Field(default_factory=_default_tags)
    encryption: EncryptionSettings = EncryptionSettings()
    permissions_boundary: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,128}$")] | None,
        Setting("the policy of yours that bounds every role", cost=NOTHING, change=IN_PLACE),
    ] = None
    alarms: Annotated[
        AlarmSettings | None,
        Setting(
            "a topic that every alarm publishes to, and alarms for the executions of each state machine that fail "
            "and for approvals that start none; "
            "null for alarms without an action",
            cost="1 a month for the topic's key; 0.20 for each state machine, 0.10 for each workload; e-mail nothing",
            change=Change(
                "null removes the topic, its key and the alarms of executions and approvals",
                loses=("AWS::KMS::Key", "AWS::SNS::Subscription", "AWS::SNS::Topic"),
            ),
        ),
    ] = None
    network: NetworkSettings = NetworkSettings()
    storage: StorageSettings = StorageSettings()
    file_systems: FileSystemSettings = FileSystemSettings()
    registry: RegistrySettings = RegistrySettings()
    notebook: NotebookSettings = NotebookSettings()
    people: PeopleSettings = PeopleSettings()
    pipeline: PipelineSettings = PipelineSettings()
    normalizer: NormalizerSettings = NormalizerSettings()

    @model_validator(mode="after")
    def _check_region(self) -> Self:
        if self.region and (missing := list(list_not_offered(self.region, self))):
            raise ValueError("; ".join(missing))
        return self

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        enabled = {"efs": self.file_systems.efs.enabled, "fsx": self.file_systems.fsx.enabled}
        for name, training in self._list_channel_trainings():
            for channel in training.channels:
                if channel.is_mounted and not enabled[channel.source]:
                    raise ValueError(
                        f"{name}.training.channels: channel '{channel.name}' reads from {channel.source}, "
                        f"but file_systems.{channel.source}.enabled is false"
                    )
        return self

    @model_validator(mode="after")
    def _check_normalized(self) -> Self:
        has_way_out = self.network.nat_gateways > 0 or self.network.existing is not None
        consumers = [consumer.name for consumer in self.normalizer.consumers]
        for name, training, normalized in self._list_normalized():
            if not getattr(self.normalizer, normalized.through):
                raise ValueError(
                    f"{name}.training.normalized.through: normalizer.{normalized.through} is off; turn it on, read "
                    "through the other door, or set normalized to null and add the channels 'train' and 'validation'"
                )
            if normalized.consumer not in consumers:
                raise ValueError(
                    f"{name}.training.normalized.consumer: found '{normalized.consumer}', "
                    f"but normalizer.consumers has {', '.join(consumers) or 'no entries'}"
                )
            # A function URL is on the internet only: https://docs.aws.amazon.com/lambda/latest/dg/lambda-urls.html.
            mounted = [channel.name for channel in training.channels if channel.is_mounted]
            if mounted and not has_way_out:
                raise ValueError(
                    f"{name}.training.normalized: channel '{mounted[0]}' of a file system puts the job into the VPC, "
                    "whose isolated subnets lead to no door of the normalizer; let the list come from s3, add a NAT "
                    "gateway with network.nat_gateways, or set normalized to null and add the channels 'train' and "
                    "'validation'"
                )
        return self

    @model_validator(mode="after")
    def _check_object_lambda_names(self) -> Self:
        taken: dict[str, ConsumerSettings] = {}
        for consumer in self.normalizer.consumers if self.normalizer.object_lambda else ():
            name = self.object_lambda_name(consumer)
            try:
                check_access_point_name(name)
            except ValueError as error:
                raise ValueError(f"normalizer.consumers: {error}; give it an object_lambda_name") from None
            # Hyphens do not count in the names that CloudFormation knows resources by.
            other = taken.setdefault(pascal_name(name), consumer)
            if other is not consumer:
                raise ValueError(
                    f"normalizer.consumers: consumers {other.name} and {consumer.name}: the Object Lambda access "
                    f"points '{self.object_lambda_name(other)}' and '{name}' are the same apart from hyphens; give one "
                    "of them another object_lambda_name"
                )
        return self

    @model_validator(mode="after")
    def _check_notebook(self) -> Self:
        reaches_sagemaker = (
            self.notebook.direct_internet
            or self.network.nat_gateways > 0
            or SAGEMAKER_API_ENDPOINT in self.network.interface_endpoints
            or self.network.existing is not None
        )
        if self.notebook.enabled and not reaches_sagemaker:
            raise ValueError(
                "notebook: without direct_internet it cannot reach SageMaker, not even to stop itself when idle; "
                f"add '{SAGEMAKER_API_ENDPOINT}' to network.interface_endpoints, or a NAT gateway"
            )
        return self

    @model_validator(mode="after")
    def _check_existing(self) -> Self:
        if not (self.encryption.existing_key and self.registry.existing):
            return self
        key, registry = (
            ExistingResource.of_key(self.encryption.existing_key),
            ExistingResource.of_registry(self.registry.existing),
        )
        if key.region != registry.region:
            raise ValueError(
                f"encryption.existing_key is in {key.region}, registry.existing in {registry.region}; SageMaker takes "
                "both from its own Region only"
            )
        return self

    @model_validator(mode="after")
    def _check_people(self) -> Self:
        if self.people.enabled and not self.tags:
            raise ValueError(
                "people: the policies distinguish what executions make by its tags, and there are none; set tags"
            )
        return self

    @model_validator(mode="after")
    def _check_gates(self) -> Self:
        for recipe in list_recipes():
            reported = recipe.training.metrics
            for index, rule in enumerate(self.workload(recipe).gate.rules):
                for key, metric in rule.list_metrics():
                    if metric not in reported:
                        raise ValueError(
                            f"{recipe}.gate.rules.{index}.{key}: found '{metric}', "
                            f"but the training job reports {', '.join(reported)}"
                        )
        return self

    @model_validator(mode="after")
    def _check_batches(self) -> Self:
        mistakes = [
            f"{recipe}.{mistake}"
            for recipe in list_recipes()
            for mistake in self.workload(recipe).list_batch_mistakes()
        ]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @model_validator(mode="after")
    def _check_serverless(self) -> Self:
        for recipe in list_recipes():
            if self.workload(recipe).endpoint.serverless and (
                self.encryption.customer_key or self.encryption.existing_key
            ):
                raise ValueError(
                    f"{recipe}.endpoint.serverless: a serverless endpoint has no volumes that the key of encryption "
                    "could encrypt, and the environment promises that it does; leave serverless out, or the key"
                )
        return self

    @model_validator(mode="after")
    def _check_starts(self) -> Self:
        for recipe in list_recipes():
            if self.workload(recipe).start.on_new_data and self.storage.existing_raw_bucket:
                raise ValueError(
                    f"{recipe}.start.on_new_data: the bucket '{self.storage.existing_raw_bucket}' of "
                    "storage.existing_raw_bucket is not changed from here, and says nothing of new objects; set "
                    f"{recipe}.start.schedule instead"
                )
        return self

    @model_validator(mode="after")
    def _check_spot(self) -> Self:
        for recipe in list_recipes():
            spot = self.workload(recipe).training.spot
            if spot and spot.max_wait_seconds >= self.pipeline.timeout_hours * 3600:
                raise ValueError(
                    f"{recipe}.training.spot.max_wait_seconds: found {spot.max_wait_seconds}, but an execution is "
                    f"ended after pipeline.timeout_hours, {self.pipeline.timeout_hours}; raise that, or lower this"
                )
        return self

    @property
    def checkpoint_days(self) -> int:
        """How long checkpoints are kept, those of workloads that train on spot instances no more included."""
        spots = (self.workload(recipe).training.spot for recipe in list_recipes())
        return max((spot.checkpoint_days for spot in spots if spot), default=CHECKPOINT_DAYS)

    @property
    def starts_on_new_data(self) -> bool:
        """Whether new objects of the raw bucket start executions."""
        return any(self.workload(recipe).start.on_new_data for recipe in list_recipes())

    @model_validator(mode="after")
    def _check_endpoint_names(self) -> Self:
        taken: set[str] = set()
        for recipe in list_recipes():
            name = self.endpoint_name(recipe)
            # SageMaker ignores case in the names of endpoints.
            if name.lower() in taken:
                raise ValueError(f"{recipe}.endpoint.name: '{name}' is another workload's endpoint already")
            taken.add(name.lower())
        return self

    def workload(self, recipe: Recipe) -> WorkloadSettings:
        """The section of a workload."""
        section: WorkloadSettings = getattr(self, recipe.name)
        return section

    def _list_channel_trainings(self) -> Iterator[tuple[str, ChannelTrainingSettings]]:
        """The training jobs whose channels are listed, by the names of their workloads."""
        for recipe in list_recipes():
            training = self.workload(recipe).training
            if isinstance(training, ChannelTrainingSettings):
                yield recipe.name, training

    def endpoint_name(self, recipe: Recipe) -> str:
        """The endpoint of a workload that an execution changes when its input names none."""
        return self.workload(recipe).endpoint.name or contract.default_endpoint_name(self.environment, recipe.name)

    def job_tags(self, workload: str) -> Mapping[str, str]:
        """The tags of what the executions of a workload make, by which its cost can be told."""
        return {WORKLOAD_TAG: workload, **self.tags}

    def object_lambda_name(self, consumer: ConsumerSettings) -> str:
        """The name of a consumer's Object Lambda access point."""
        return consumer.object_lambda_name or default_object_lambda_name(self.environment, consumer.name)

    def stack_name(self, stack: str) -> str:
        """The name of a stack in CloudFormation; two environments may share an account."""
        return contract.stack_name(self.environment, stack)

    def _list_normalized(self) -> Iterator[tuple[str, ChannelTrainingSettings, NormalizedSettings]]:
        """Those that read through the normalizer, and how."""
        for name, training in self._list_channel_trainings():
            if training.normalized:
                yield name, training, training.normalized

    @classmethod
    def from_context(cls, node: "Node") -> Self:
        """The settings of the environment that `-c env=NAME` chooses.

        Raises:
            SettingsError: Naming every key that is wrong, what was found and what is allowed.
        """
        return cls.from_mapping(node.try_get_context(ENVIRONMENT_KEY), node.try_get_context(ENVIRONMENTS_KEY))

    @classmethod
    def from_mapping(cls, environment: object, environments: object) -> Self:
        """The settings of one environment out of the context's `environments` object."""
        if taken := sorted(WorkloadSections.model_fields.keys() & cls.__annotations__.keys()):
            raise SettingsError(
                f"recipe {taken[0]}: '{taken[0]}' is a setting of every environment; choose another name"
            )
        if not isinstance(environments, Mapping):
            raise SettingsError(f"context '{ENVIRONMENTS_KEY}': expected an object per environment, see cdk.json")
        if not isinstance(environment, str) or environment not in environments:
            known = ", ".join(sorted(environments))
            raise SettingsError(f"context '{ENVIRONMENT_KEY}': found {environment!r}, allowed: {known}")
        values = environments[environment]
        if not isinstance(values, Mapping):
            raise SettingsError(f"{ENVIRONMENTS_KEY}.{environment}: expected an object, found {values!r}")
        if ENVIRONMENT_FIELD in values:
            raise SettingsError(
                f"{ENVIRONMENTS_KEY}.{environment}.{ENVIRONMENT_FIELD}: unknown key; an environment is called "
                f"as the key it stands under, here '{environment}'"
            )
        try:
            return cls.model_validate({ENVIRONMENT_FIELD: environment, **values})
        except ValidationError as error:
            prefix = f"{ENVIRONMENTS_KEY}.{environment}"
            raise SettingsError(describe(error, prefix=prefix, model=cls)) from None


def read_bundle_target(node: "Node") -> BundleTarget:
    """Where Lambda functions are to run; the local cloud asks for this machine.

    Raises:
        SettingsError: If there is no such place.
    """
    target = node.try_get_context(contract.BUNDLE_TARGET_CONTEXT) or BundleTarget.GRAVITON
    if target not in set(BundleTarget):
        allowed = ", ".join(BundleTarget)
        raise SettingsError(f"context '{contract.BUNDLE_TARGET_CONTEXT}': found {target!r}, allowed: {allowed}")
    return BundleTarget(target)


def read_commit(node: "Node") -> str:
    """The commit that the app is synthesized from, as who deploys says; nothing if they do not.

    Raises:
        SettingsError: If it could not stand in the metadata of a version.
    """
    commit = node.try_get_context(contract.COMMIT_CONTEXT)
    if commit in (None, ""):
        return ""
    if not isinstance(commit, str) or not re.fullmatch(_COMMIT, commit):
        raise SettingsError(
            f"context '{contract.COMMIT_CONTEXT}': found {commit!r}, allowed: up to 128 letters, digits and . _ / + -"
        )
    return commit
