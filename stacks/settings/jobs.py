"""The settings of the machines: those of jobs, and of the state machines that start them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from stacks.settings.instance_types import JobInstanceType, Use, check_offered
from stacks.settings.section import IN_PLACE, NEXT_EXECUTION, NOTHING, Days, LogDays, Section, Setting

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

# How long checkpoints are kept where no setting says it.
CHECKPOINT_DAYS: Final = 7


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

    use: ClassVar[Use]
    instance_type: Annotated[
        JobInstanceType,
        Setting("its machine", cost="by the second while it runs; ml.m5.xlarge 0.23 an hour", change=NEXT_EXECUTION),
    ] = "ml.m5.xlarge"
    volume_gib: Annotated[VolumeGib, Setting("its disk", cost="per GB, while the job runs", change=NEXT_EXECUTION)] = 30

    @field_validator("instance_type")
    @classmethod
    def _check_type(cls, instance_type: str) -> str:
        return check_offered(instance_type, cls.use)


class ProcessingSettings(JobSettings):
    """A processing job: its machine and its limits."""

    use: ClassVar[Use] = Use.PROCESSING
    max_runtime_seconds: ProcessingSeconds = 3600

    @property
    def instances(self) -> int:
        """How many machines the job has."""
        return 1


class SpotSettings(Section):
    """Training on spot instances, which AWS may take back at any time."""

    max_wait_seconds: Annotated[
        int,
        Field(ge=60, le=2_419_200),
        Setting(
            "how long the job may take with all waiting for instances, `max_runtime_seconds` at least",
            cost="waiting costs nothing",
            change=NEXT_EXECUTION,
        ),
    ] = 7200
    checkpoint_seconds: Annotated[
        int,
        Field(ge=1, le=3600),
        Setting(
            "how much of its work the program may lose to an interruption, where it saves checkpoints",
            cost="0.005 per 1,000 checkpoints, and 0.023 per GB and month until they expire",
            change=NEXT_EXECUTION,
        ),
    ] = 300
    checkpoint_days: Annotated[
        Days,
        Setting(
            "how long checkpoints are kept, and a failed execution can be redriven from them; the longest of all "
            "workloads counts",
            cost="0.023 per GB and month of what is kept",
            change=IN_PLACE,
        ),
    ] = CHECKPOINT_DAYS


class TrainingSettings(JobSettings):
    """The training job: its machine, its limits and its hyperparameters."""

    use: ClassVar[Use] = Use.TRAINING
    max_runtime_seconds: TrainingSeconds = 3600
    spot: Annotated[
        SpotSettings | None,
        Setting(
            "training on spot instances ([what that means](spot.md)); null for instances that are not taken back",
            cost="up to 90 % less for the job's time, says AWS",
            change=NEXT_EXECUTION,
        ),
    ] = None
    hyperparameters: Annotated[
        Hyperparameters, Setting("the program's hyperparameters", cost=NOTHING, change=NEXT_EXECUTION)
    ] = Field(default={})

    @property
    def instances(self) -> int:
        """How many machines the job has."""
        return 1

    @property
    def earlier_version(self) -> int | None:
        """The number of the version that the job goes on from; None where it begins anew."""
        return None

    @model_validator(mode="after")
    def _check_spot(self) -> Self:
        if self.spot and self.spot.max_wait_seconds < self.max_runtime_seconds:
            raise ValueError(
                f"spot.max_wait_seconds: found {self.spot.max_wait_seconds}, less than max_runtime_seconds, "
                f"{self.max_runtime_seconds}; SageMaker counts the run as part of the wait, so raise the first or "
                "lower the second"
            )
        if self.spot and self.spot.checkpoint_seconds >= self.max_runtime_seconds:
            raise ValueError(
                f"spot.checkpoint_seconds: found {self.spot.checkpoint_seconds}, but the job is stopped after "
                f"max_runtime_seconds, {self.max_runtime_seconds}, before it saves anything; lower it"
            )
        return self
