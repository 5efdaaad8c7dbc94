"""The sections of an environment's settings: their keys, types and bounds."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from containers.image_preprocessing import contract as image_preprocessing
from containers.image_training.contract import MOST_CONNECTIONS, TRAIN_CHANNEL, VALIDATION_CHANNEL
from headrace.channels import InputMode
from headrace.contract import Workload
from lambdas.image_normalizer.errors import BadOptionError
from lambdas.image_normalizer.options import Colour, Fit, OutputFormat, parse_options

# CloudWatch Logs accepts these retention periods and no others:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_YEARS = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, *_YEARS)

# What an EFS lifecycle policy can say: https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html
INFREQUENT_ACCESS_DAYS = (1, 7, 14, 30, 60, 90, 180, 270, 365)

# Still named in the API's list, but current images no longer run on them, or AWS no longer offers them.
RETIRED_FAMILIES = frozenset({"m4", "c4", "p2", "p3", "p3dn"})

# Where a notebook without internet access reaches SageMaker, to stop itself among other things.
SAGEMAKER_API_ENDPOINT = "sagemaker.api"


def _check_family(instance_type: str) -> str:
    family = instance_type.split(".")[1]
    if family in RETIRED_FAMILIES:
        raise ValueError(f"the {family} family is retired; use a current one such as ml.m5.xlarge")
    return instance_type


def _check_job_family(instance_type: str) -> str:
    """Training and processing jobs have no Graviton instances (family names with a g after the digit)."""
    family = instance_type.split(".")[1]
    if len(family) > 2 and family[0] in "mcr" and "g" in family[2:]:
        raise ValueError(f"jobs do not run on Graviton ({family}); use an x86 family such as ml.m5.xlarge")
    return instance_type


def _check_retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"CloudWatch Logs keeps logs for one of {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return days


def _check_infrequent_access(days: int) -> int:
    if days not in INFREQUENT_ACCESS_DAYS:
        raise ValueError(f"EFS moves files after one of {', '.join(map(str, INFREQUENT_ACCESS_DAYS))} days")
    return days


def _check_cidr(cidr: str) -> str:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"not an IPv4 network: {error}") from None
    if not 16 <= network.prefixlen <= 24:
        raise ValueError("a VPC for training needs a network from /16 to /24")
    return cidr


def _check_capacity(gib: int) -> int:
    if gib != 1200 and (gib < 2400 or gib % 2400):
        raise ValueError("FSx for Lustre on SSD comes in 1200 GiB, 2400 GiB and multiples of 2400 GiB")
    return gib


def _check_options(options: Mapping[str, str]) -> Mapping[str, str]:
    try:
        parse_options(options)
    except BadOptionError as error:
        raise ValueError(error.reason) from None
    return options


def _check_likeness(options: Mapping[str, str]) -> Mapping[str, str]:
    """The endpoint sees a photograph in colour and stretched to a square, and the job reads JPEG and PNG."""
    asked = parse_options(options)
    if (asked.colour, asked.fit) != (Colour.RGB, Fit.STRETCH) or asked.output_format is OutputFormat.WEBP:
        raise ValueError(
            f"colour {asked.colour}, fit {asked.fit} and output_format {asked.output_format} would train on other "
            "pictures than the endpoint sees; use colour rgb, fit stretch and output_format jpeg or png"
        )
    return options


def _check_image_prefix(prefix: str) -> str:
    place = Workload.IMAGES.raw_prefix
    if not (prefix.startswith(place) and prefix.endswith("/")):
        raise ValueError(f"the normalizer reads below '{place}' only; give a prefix there that ends with '/'")
    return prefix


InstanceType = Annotated[
    str, StringConstraints(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"), AfterValidator(_check_family)
]
JobInstanceType = Annotated[InstanceType, AfterValidator(_check_job_family)]
VolumeGib = Annotated[int, Field(ge=1, le=16384)]
Days = Annotated[int, Field(ge=1, le=3650)]
LogDays = Annotated[int, AfterValidator(_check_retention)]
HyperparameterText = Annotated[str, StringConstraints(max_length=256)]
Hyperparameters = Annotated[Mapping[HyperparameterText, HyperparameterText | int | float], Field(max_length=100)]
RepositoryEvent = Literal["NEW", "CHANGED", "DELETED"]


class Section(BaseModel):
    """Settings that cannot be changed, with no keys but the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class EncryptionSettings(Section):
    """Whose key encrypts: AWS's own at no cost, or one of the customer's that rotates every year."""

    customer_key: bool


class ExistingNetworkSettings(Section):
    """A VPC that is there already, by ids: nothing is looked up."""

    vpc_id: Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    cidr: Annotated[str, AfterValidator(_check_cidr)]
    availability_zones: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]
    subnet_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]
    route_table_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=16, strict=False)]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if not len(self.availability_zones) == len(self.subnet_ids) == len(self.route_table_ids):
            raise ValueError("availability_zones, subnet_ids and route_table_ids need one entry per subnet each")
        return self


class NetworkSettings(Section):
    """The VPC that file systems and training jobs meet in."""

    availability_zones: Annotated[int, Field(ge=2, le=3)]
    cidr: Annotated[str, AfterValidator(_check_cidr)]
    nat_gateways: Annotated[int, Field(ge=0, le=3)]
    interface_endpoints: Annotated[tuple[str, ...], Field(strict=False)]
    flow_log_days: LogDays
    existing: ExistingNetworkSettings | None = None

    @model_validator(mode="after")
    def _check_existing(self) -> Self:
        if self.existing and (self.nat_gateways or self.interface_endpoints):
            raise ValueError(
                "nat_gateways and interface_endpoints belong to the existing network; leave them at 0 and []"
            )
        return self


class StorageSettings(Section):
    """How long the buckets keep what nobody reads any more."""

    noncurrent_version_days: Days
    unfinished_upload_days: Days
    access_log_days: Days
    cache_days: Days


class EfsSettings(Section):
    """The shared POSIX file system that is paid by use."""

    enabled: bool
    infrequent_access_days: Annotated[int, AfterValidator(_check_infrequent_access)]


class FsxSettings(Section):
    """FSx for Lustre over the raw bucket, which is paid as long as it exists."""

    enabled: bool
    deployment: Literal["PERSISTENT_2", "SCRATCH_2"]
    capacity_gib: Annotated[int, AfterValidator(_check_capacity)]
    throughput_mb_per_tib: Literal[125, 250, 500, 1000]
    import_events: Annotated[tuple[RepositoryEvent, ...], Field(strict=False)]
    export_events: Annotated[tuple[RepositoryEvent, ...], Field(strict=False)]


class FileSystemSettings(Section):
    """Which file systems there are."""

    efs: EfsSettings
    fsx: FsxSettings


class RegistrySettings(Section):
    """How many images each repository keeps."""

    images_kept: Annotated[int, Field(ge=1, le=1000)]


class NotebookSettings(Section):
    """The notebook instance for people."""

    enabled: bool
    instance_type: InstanceType
    volume_gib: Annotated[int, Field(ge=5, le=16384)]
    repository_url: Annotated[str, StringConstraints(pattern=r"^https://[^/]+/.+$", max_length=1024)] | None = None
    repository_secret_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:secretsmanager:.+$")] | None = None
    direct_internet: bool
    idle_minutes: Annotated[int, Field(ge=10, le=1440)]

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.repository_secret_arn and not self.repository_url:
            raise ValueError("repository_secret_arn needs the repository_url it opens")
        return self


class PipelineSettings(Section):
    """The state machines' own limits."""

    timeout_hours: Annotated[int, Field(ge=1, le=8760)]
    log_retention_days: LogDays


class JobSettings(Section):
    """The machine of a job."""

    instance_type: JobInstanceType
    volume_gib: VolumeGib


class ProcessingSettings(JobSettings):
    """A processing job: its machine and its limits."""

    max_runtime_seconds: Annotated[int, Field(ge=60, le=777_600)]


class PreprocessingSettings(ProcessingSettings):
    """The processing job of the sales: its machine, its limits and how it splits the rows."""

    train_test_split_ratio: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]


class TrainingSettings(JobSettings):
    """The training job: its machine, its limits and its hyperparameters."""

    max_runtime_seconds: Annotated[int, Field(ge=60, le=2_419_200)]
    hyperparameters: Hyperparameters


class ChannelSettings(Section):
    """A training channel: a prefix of the raw bucket or of the sets made in bulk, or a directory of a file system."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-_]{1,64}$")]
    source: Literal["s3", "sets", "efs", "fsx"]
    path: Annotated[str, StringConstraints(min_length=1, max_length=900)]
    input_mode: Literal["File", "FastFile"] = InputMode.FILE.value
    access: Literal["ro", "rw"] = "ro"

    @property
    def is_mounted(self) -> bool:
        """Whether it is a directory of a file system, which the job reaches from inside the VPC."""
        return self.source in ("efs", "fsx")

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        if not self.is_mounted and self.path.startswith("/"):
            raise ValueError("a prefix in a bucket does not start with '/'")
        if self.is_mounted and not self.path.startswith("/"):
            raise ValueError("a directory of a file system starts with '/'")
        return self


class NormalizedSettings(Section):
    """Pictures that the normalizer makes while the job reads them: as which consumer, from where, of what kind."""

    consumer: str
    prefix: Annotated[str, StringConstraints(max_length=900), AfterValidator(_check_image_prefix)]
    options: Annotated[Mapping[str, str], AfterValidator(_check_options), AfterValidator(_check_likeness)]
    connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)]


class ChannelTrainingSettings(TrainingSettings):
    """A training job whose channels are listed; its pictures come from two of them, or from the normalizer."""

    channels: Annotated[tuple[ChannelSettings, ...], Field(min_length=1, max_length=20, strict=False)]
    normalized: NormalizedSettings | None = None

    @model_validator(mode="after")
    def _check_pictures(self) -> Self:
        pictures = [c.name for c in self.channels if c.name in (TRAIN_CHANNEL, VALIDATION_CHANNEL)]
        if self.normalized and pictures:
            raise ValueError(
                f"channel '{pictures[0]}' brings pictures, and so does 'normalized'; "
                "remove the channel, or set normalized to null"
            )
        return self


class EndpointSettings(Section):
    """The endpoint that executions create or update, and the machines that serve the model."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")] | None = None
    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=100)]


class BigMartSettings(Section):
    """Sales of Big Mart: preprocess, train, serve."""

    preprocessing: PreprocessingSettings
    training: TrainingSettings
    endpoint: EndpointSettings


class ImagesSettings(Section):
    """Image classification: train from listed channels, serve."""

    training: ChannelTrainingSettings
    endpoint: EndpointSettings


class ConsumerSettings(Section):
    """Somebody who reads pictures: what they get when a request through Object Lambda names no options."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=30)]
    options: Annotated[Mapping[str, str], AfterValidator(_check_options)]


class BulkSettings(ProcessingSettings):
    """The batch door: the machine of its processing job, and what the job puts up with."""

    max_refused: Annotated[int, Field(ge=0, le=10**9)]
    connections: Annotated[int, Field(ge=1, le=image_preprocessing.MOST_CONNECTIONS)]


class NormalizerSettings(Section):
    """The image normalizer: which doors it has, for whom, and its limits."""

    function_url: bool
    object_lambda: bool
    bulk: BulkSettings | None = None
    consumers: Annotated[tuple[ConsumerSettings, ...], Field(strict=False)]
    cache: bool
    # Less would cut off the function's own limits on reading; Object Lambda waits for 60.
    timeout_seconds: Annotated[int, Field(ge=30, le=60)]
    reserved_concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    log_retention_days: LogDays

    @property
    def has_doors(self) -> bool:
        """Whether there is any way in."""
        return self.answers_requests or self.bulk is not None

    @property
    def answers_requests(self) -> bool:
        """Whether there is a way in for single images."""
        return self.function_url or self.object_lambda

    @model_validator(mode="after")
    def _check_consumers(self) -> Self:
        names = [consumer.name for consumer in self.consumers]
        if len(set(names)) < len(names):
            raise ValueError("every consumer needs a name of its own")
        if self.object_lambda and not names:
            raise ValueError("object_lambda gives each consumer a door, and there is no consumer")
        return self
