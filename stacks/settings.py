"""The settings of one environment: read from the CDK context once, checked whole, then passed down."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Self, get_args

from constructs import Node
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from millrace import contract

ENVIRONMENT_KEY = "env"
ENVIRONMENTS_KEY = "environments"

# CloudWatch Logs accepts these retention periods and no others:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)

# Still named in the API's list, but current images no longer run on them, or AWS no longer offers them.
RETIRED_FAMILIES = frozenset({"m4", "c4", "p2", "p3", "p3dn"})


class SettingsError(ValueError):
    """A setting is missing, misspelt, of the wrong type or impossible."""


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


InstanceType = Annotated[
    str, StringConstraints(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"), AfterValidator(_check_family)
]
JobInstanceType = Annotated[InstanceType, AfterValidator(_check_job_family)]
VolumeGib = Annotated[int, Field(ge=1, le=16384)]
Days = Annotated[int, Field(ge=1, le=3650)]
HyperparameterText = Annotated[str, StringConstraints(max_length=256)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StorageSettings(_Section):
    """How long the buckets keep what nobody reads any more."""

    noncurrent_version_days: Days
    unfinished_upload_days: Days
    access_log_days: Days


class RegistrySettings(_Section):
    """How many images each repository keeps."""

    images_kept: Annotated[int, Field(ge=1, le=1000)]


class PreprocessingSettings(_Section):
    """The processing job: its machine, its limits and how it splits the rows."""

    instance_type: JobInstanceType
    volume_gib: VolumeGib
    max_runtime_seconds: Annotated[int, Field(ge=60, le=777_600)]
    train_test_split_ratio: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)]


class TrainingSettings(_Section):
    """The training job: its machine, its limits and its hyperparameters."""

    instance_type: JobInstanceType
    volume_gib: VolumeGib
    max_runtime_seconds: Annotated[int, Field(ge=60, le=2_419_200)]
    hyperparameters: Annotated[Mapping[HyperparameterText, HyperparameterText | int | float], Field(max_length=100)]


class EndpointSettings(_Section):
    """The machines that serve the model."""

    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=100)]


class PipelineSettings(_Section):
    """The state machine's own limits."""

    timeout_hours: Annotated[int, Field(ge=1, le=8760)]
    log_retention_days: Annotated[int, AfterValidator(_check_retention)]


class Settings(_Section):
    """Everything that differs between environments."""

    environment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,15}$")]
    retain_data: bool
    tags: Mapping[str, str]
    storage: StorageSettings
    registry: RegistrySettings
    preprocessing: PreprocessingSettings
    training: TrainingSettings
    endpoint: EndpointSettings
    pipeline: PipelineSettings

    def stack_name(self, stack: str) -> str:
        """The name of a stack in CloudFormation; two environments may share an account."""
        return contract.stack_name(self.environment, stack)

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """The settings of the environment that `-c env=NAME` chooses.

        Raises:
            SettingsError: Naming every key that is wrong, what was found and what is allowed.
        """
        return cls.from_mapping(node.try_get_context(ENVIRONMENT_KEY), node.try_get_context(ENVIRONMENTS_KEY))

    @classmethod
    def from_mapping(cls, environment: object, environments: object) -> Self:
        """The settings of one environment out of the context's `environments` object."""
        if not isinstance(environments, Mapping):
            raise SettingsError(f"context '{ENVIRONMENTS_KEY}': expected an object per environment, see cdk.json")
        if environment not in environments:
            known = ", ".join(sorted(environments))
            raise SettingsError(f"context '{ENVIRONMENT_KEY}': found {environment!r}, allowed: {known}")
        values = environments[environment]
        if not isinstance(values, Mapping):
            raise SettingsError(f"{ENVIRONMENTS_KEY}.{environment}: expected an object, found {values!r}")
        try:
            return cls.model_validate({"environment": environment, **values})
        except ValidationError as error:
            problems = [_describe(problem, f"{ENVIRONMENTS_KEY}.{environment}", cls) for problem in error.errors()]
            raise SettingsError("\n".join(dict.fromkeys(problems))) from None


def _describe(problem: Any, prefix: str, model: type[BaseModel]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join([prefix, *location])
    if problem["type"] == "extra_forbidden":
        allowed = sorted(_section(model, location[:-1]).model_fields)
        close = difflib.get_close_matches(location[-1], allowed, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"{key}: unknown key{hint}; allowed: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"{key}: missing"
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{key}: found {problem['input']!r}: {reason[0].lower()}{reason[1:]}"


def _section(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    for part in path:
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return model
