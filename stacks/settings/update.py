"""The settings of how endpoints change from one model to the next, and of the alarms that roll an update back."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.settings.section import (
    IN_PLACE,
    NEXT_EXECUTION,
    NOTHING,
    Change,
    ErrorPercent,
    LatencyMilliseconds,
    Section,
    Setting,
)

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html
LARGEST_STEP = 50
_SMALLEST_LINEAR_STEP = 10
_ALARM_COST = "0.20 a month with metrics every 60 s, 0.60 with metrics more often"


class UpdateAlarmSettings(Section):
    """Alarms that roll an update back: what they watch, and where they draw the line."""

    error_percent: Annotated[
        ErrorPercent,
        Setting(
            "the share of requests answered with a 5xx status, above which an update is rolled back; null for no alarm",
            cost=_ALARM_COST,
            change=IN_PLACE,
        ),
    ] = None
    latency_milliseconds: Annotated[
        LatencyMilliseconds,
        Setting(
            "the model's latency that only 1 % of the requests may exceed in an update; null for no alarm",
            cost="0.10 a month with metrics every 60 s, 0.30 with metrics more often",
            change=IN_PLACE,
        ),
    ] = None
    container_errors: Annotated[
        bool,
        Setting(
            "an alarm on the container's own count of requests that failed through its fault, which SageMaker collects "
            "from `/metrics`; AWS does not say whether updates take such an alarm, so try it first",
            cost="0.10 a month and query",
            change=IN_PLACE,
        ),
    ] = False

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if not any((self.error_percent is not None, self.latency_milliseconds, self.container_errors)):
            raise ValueError("none of the alarms is on; set error_percent, latency_milliseconds or container_errors")
        return self


class UpdateSettings(Section):
    """How an endpoint changes from one model to the next: blue/green, while the old machines go on serving."""

    traffic: Annotated[
        Literal["all_at_once", "canary", "linear"],
        Setting(
            "whether the new machines get all requests at once, a part first, or more of them step by step",
            cost="both sets of machines, until the update has ended",
            change=NEXT_EXECUTION,
        ),
    ] = "all_at_once"
    canary_percent: Annotated[
        int,
        Field(ge=1, le=LARGEST_STEP),
        Setting("the part that gets requests first, with `canary`", cost=NOTHING, change=NEXT_EXECUTION),
    ] = LARGEST_STEP
    step_percent: Annotated[
        int,
        Field(ge=_SMALLEST_LINEAR_STEP, le=LARGEST_STEP),
        Setting("the size of each step, with `linear`", cost=NOTHING, change=NEXT_EXECUTION),
    ] = LARGEST_STEP
    wait_seconds: Annotated[
        int,
        Field(ge=0, le=3600),
        Setting(
            "how long alarms are watched after each step, before the next one and before the old machines go",
            cost="both sets of machines meanwhile",
            change=NEXT_EXECUTION,
        ),
    ] = 0
    termination_wait_seconds: Annotated[
        int,
        Field(ge=0, le=3600),
        Setting(
            "how long the old machines stay after the update",
            cost="both sets of machines meanwhile",
            change=NEXT_EXECUTION,
        ),
    ] = 0
    timeout_seconds: Annotated[
        int,
        Field(ge=600, le=28_800),
        Setting("after how long an update is given up and rolled back", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 3600
    alarms: Annotated[
        UpdateAlarmSettings | None,
        Setting(
            "alarms that roll an update back; null for none",
            cost="as the alarms that are on",
            change=Change("null removes the alarms"),
        ),
    ] = None

    @property
    def total_wait_seconds(self) -> int:
        """How long an update waits at least."""
        steps = {"all_at_once": 1, "canary": 2, "linear": -(-100 // self.step_percent)}[self.traffic]
        return steps * self.wait_seconds + self.termination_wait_seconds

    @property
    def first_percent(self) -> int | None:
        """The size of the first step, unless it is everything."""
        return {"canary": self.canary_percent, "linear": self.step_percent}.get(self.traffic)

    @model_validator(mode="after")
    def _check_timeout(self) -> Self:
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BlueGreenUpdatePolicy.html
        if self.timeout_seconds <= self.total_wait_seconds:
            raise ValueError(
                f"timeout_seconds: found {self.timeout_seconds}, but traffic {self.traffic} with wait_seconds "
                f"{self.wait_seconds} and termination_wait_seconds {self.termination_wait_seconds} waits for "
                f"{self.total_wait_seconds} s; allow more, or wait less"
            )
        return self
