"""The settings of the machines: those of jobs, of endpoints, and of the state machines that start them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from stacks.settings.section import LogDays, Section

# Still named in the API's list, but current images no longer run on them, or AWS no longer offers them.
RETIRED_FAMILIES = frozenset({"m4", "c4", "p2", "p3", "p3dn"})


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


InstanceType = Annotated[
    str, StringConstraints(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"), AfterValidator(_check_family)
]
JobInstanceType = Annotated[InstanceType, AfterValidator(_check_job_family)]
VolumeGib = Annotated[int, Field(ge=1, le=16384)]
HyperparameterText = Annotated[str, StringConstraints(max_length=256)]
Hyperparameters = Annotated[Mapping[HyperparameterText, HyperparameterText | int | float], Field(max_length=100)]


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


class TrainingSettings(JobSettings):
    """The training job: its machine, its limits and its hyperparameters."""

    max_runtime_seconds: Annotated[int, Field(ge=60, le=2_419_200)]
    hyperparameters: Hyperparameters


class EndpointSettings(Section):
    """The endpoint that executions create or update, and the machines that serve the model."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")] | None = None
    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=100)]
