"""The settings of the machines: those of jobs, and of the state machines that start them."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from stacks.settings.section import IN_PLACE, NEXT_EXECUTION, NOTHING, Allowed, LogDays, Section, Setting

# Still named in the API's list, but current container images no longer run on them, or AWS no longer offers them.
RETIRED_FAMILIES = frozenset({"m4", "c4", "p2", "p3", "p3dn"})


def _check_family(instance_type: str) -> str:
    family = instance_type.split(".")[1]
    if family in RETIRED_FAMILIES:
        raise ValueError(f"the {family} family is retired; use a current one such as ml.m5.xlarge")
    return instance_type


def _check_job_family(instance_type: str) -> str:
    """Training and processing jobs have no Graviton instances (family names with a g after the digit)."""
    family = instance_type.split(".")[1]
    if re.search(r"\dg", family):
        raise ValueError(f"jobs do not run on Graviton ({family}); use an x86 family such as ml.m5.xlarge")
    return instance_type


InstanceType = Annotated[
    str,
    StringConstraints(pattern=r"^ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+$"),
    AfterValidator(_check_family),
    Allowed("an instance type such as ml.m5.xlarge, of a family that is not retired"),
]
JobInstanceType = Annotated[InstanceType, AfterValidator(_check_job_family), Allowed("not Graviton")]
VolumeGib = Annotated[int, Field(ge=1, le=16384)]
_LIMIT = Setting("after how long it is stopped", cost="bounds what a job costs", change=NEXT_EXECUTION)
ProcessingSeconds = Annotated[int, Field(ge=60, le=777_600), _LIMIT]
TrainingSeconds = Annotated[int, Field(ge=60, le=2_419_200), _LIMIT]
HyperparameterText = Annotated[str, StringConstraints(max_length=256)]
HyperparameterNumber = Annotated[float, Field(allow_inf_nan=False)]
Hyperparameters = Annotated[
    Mapping[HyperparameterText, HyperparameterText | int | HyperparameterNumber], Field(max_length=100)
]


WhenBusy = Literal["wait", "refuse"]


class PipelineSettings(Section):
    """The state machines' own limits."""

    timeout_hours: Annotated[
        int,
        Field(ge=1, le=8760),
        Setting("after how long an execution is ended", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 6
    when_busy: Annotated[
        WhenBusy,
        Setting(
            "what an execution does that finds another one at its endpoint: wait for its end, or end itself as failed",
            cost="0.025 per 1,000 state transitions; an hour of waiting has some 60",
            change=NEXT_EXECUTION,
        ),
    ] = "wait"
    log_retention_days: Annotated[
        LogDays,
        Setting(
            "how long the executions' logs are kept",
            cost="0.50 per GB written, 0.03 per GB and month kept",
            change=IN_PLACE,
        ),
    ] = 30


class JobSettings(Section):
    """The machine of a job."""

    instance_type: Annotated[
        JobInstanceType,
        Setting("its machine", cost="by the second while it runs; ml.m5.xlarge 0.23 an hour", change=NEXT_EXECUTION),
    ] = "ml.m5.xlarge"
    volume_gib: Annotated[VolumeGib, Setting("its disk", cost="per GB, while the job runs", change=NEXT_EXECUTION)] = 30


class ProcessingSettings(JobSettings):
    """A processing job: its machine and its limits."""

    max_runtime_seconds: ProcessingSeconds = 3600


class TrainingSettings(JobSettings):
    """The training job: its machine, its limits and its hyperparameters."""

    max_runtime_seconds: TrainingSeconds = 3600
    hyperparameters: Annotated[
        Hyperparameters, Setting("the program's hyperparameters", cost=NOTHING, change=NEXT_EXECUTION)
    ] = Field(default={})
