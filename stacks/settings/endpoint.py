"""The settings of endpoints: their machines, and how executions update them."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from headrace.contract import GOLDEN_FILE
from stacks.settings.jobs import InstanceType, ProcessingSettings
from stacks.settings.scaling import ScalingSettings, list_scaling_mistakes
from stacks.settings.section import IN_PLACE, NEXT_EXECUTION, NOTHING, Allowed, Change, Section, Setting
from stacks.settings.serverless import ServerlessSettings, list_serverless_mistakes

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html
_LARGEST_STEP = 50
_SMALLEST_LINEAR_STEP = 10
# An alarm looks at whole periods, and the first one after the switch has begun before it.
_PERIODS_PER_WAIT = 2

_NEXT_UPDATE = Change("the next execution updates the endpoint, which serves all the while")
_ALARM_COST = "0.20 a month with metrics every 60 s, 0.60 with metrics more often"

StandardMetricSeconds = Literal[10, 30, 60]


class UpdateAlarmSettings(Section):
    """Alarms that roll an update back: what they watch, and where they draw the line."""

    error_percent: Annotated[
        Annotated[float, Field(ge=0, lt=100)] | None,
        Allowed("a number from 0 to below 100, or null"),
        Setting(
            "the share of requests answered with a 5xx status, above which an update is rolled back; null for no alarm",
            cost=_ALARM_COST,
            change=IN_PLACE,
        ),
    ] = None
    latency_milliseconds: Annotated[
        Annotated[int, Field(ge=1, le=60_000)] | None,
        Allowed("a whole number from 1 to 60000, or null"),
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
        Field(ge=1, le=_LARGEST_STEP),
        Setting("the part that gets requests first, with `canary`", cost=NOTHING, change=NEXT_EXECUTION),
    ] = _LARGEST_STEP
    step_percent: Annotated[
        int,
        Field(ge=_SMALLEST_LINEAR_STEP, le=_LARGEST_STEP),
        Setting("the size of each step, with `linear`", cost=NOTHING, change=NEXT_EXECUTION),
    ] = _LARGEST_STEP
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


class GoldenSettings(ProcessingSettings):
    """Golden requests: recorded ones that every good model answers alike, and the job that asks a new model first."""

    requests: Annotated[
        str,
        StringConstraints(pattern=rf"^{GOLDEN_FILE}$"),
        Setting(
            "the file of the requests, below `golden/WORKLOAD/` in the raw bucket", cost=NOTHING, change=NEXT_EXECUTION
        ),
    ] = "requests.jsonl"


class EndpointSettings(Section):
    """The endpoint that executions create or update, and the machines that serve the model."""

    name: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")] | None,
        Allowed("text of at most 63 letters, digits and hyphens, or null"),
        Setting(
            "the endpoint's name; null for `headrace-ENVIRONMENT-WORKLOAD`",
            cost="the old endpoint stays, and on the bill, until it is deleted",
            change=Change("the next execution creates the endpoint of that name"),
        ),
    ] = None
    instance_type: Annotated[
        InstanceType,
        Setting("its machines", cost="by the second, used or not, until the endpoint is deleted", change=_NEXT_UPDATE),
    ] = "ml.m5.large"
    instance_count: Annotated[
        int,
        Field(ge=1, le=100),
        Setting("how many machines serve", cost="in proportion", change=_NEXT_UPDATE),
    ] = 1
    serverless: Annotated[
        ServerlessSettings | None,
        Setting(
            "an endpoint without machines of its own, which starts when it is asked; null for `instance_type` and "
            "`instance_count`",
            cost="nothing while it is not asked; 0.00002 per GB and second in which a request is answered, and 0.016 "
            "per GB in and out",
            change=Change(
                "null gives the endpoint machines with the next execution. An endpoint that has machines cannot become "
                "serverless: give another `name` with it, or executions end as failed before they train"
            ),
        ),
    ] = None
    scaling: Annotated[
        ScalingSettings | None,
        Setting(
            "machines by the number of requests, within bounds; null for `instance_count`",
            cost="machines in proportion; two alarms, 0.20 a month",
            change=Change(
                "the next execution registers the endpoint with Application Auto Scaling. Null leaves the endpoint as "
                "it is: set `scaling.enabled` to false and run an execution before"
            ),
        ),
    ] = None
    metrics_seconds: Annotated[
        StandardMetricSeconds,
        Setting(
            "how often SageMaker publishes the endpoint's metrics; more often than every 60 s, for each machine, too",
            cost="alarms on them cost three times as much",
            change=Change("the next execution updates the endpoint, which serves all the while; alarms in place"),
        ),
    ] = 60
    update: UpdateSettings = UpdateSettings()
    golden: Annotated[
        GoldenSettings | None,
        Setting(
            "golden requests that a new model must answer as expected before it serves, and the endpoint while it is "
            "updated; null for none",
            cost="a processing job of a few minutes per execution, and an alarm: 0.10 a month with metrics every 60 s, "
            "0.30 with metrics more often",
            change=Change(
                "null removes the alarm, the function and its logs; from the next execution on",
                loses=("AWS::Lambda::Function", "AWS::Logs::LogGroup"),
            ),
        ),
    ] = None
    keep_versions: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        Allowed("a whole number from 1 to 100, or null"),
        Setting(
            "how many of the workload's endpoint configurations, models and versions stay when an execution has served "
            "a new one; null for all",
            cost=f"{NOTHING}; a function runs for some seconds per execution",
            change=Change("null removes the function; from the next execution on"),
        ),
    ] = None

    @model_validator(mode="after")
    def _check_update(self) -> Self:
        if mistakes := list(self._list_mistakes()):
            raise ValueError("; ".join(mistakes))
        return self

    def _list_mistakes(self) -> Iterator[str]:
        """What the update asks for and the endpoint does not have."""
        update = self.update
        percent, waits = update.first_percent, _PERIODS_PER_WAIT * self.metrics_seconds
        if self.scaling:
            yield from list_scaling_mistakes(self, self.scaling)
        if self.serverless:
            yield from list_serverless_mistakes(self)
        elif percent and percent * self.instance_count < 100:
            yield (
                f"update.traffic: {update.traffic} with {percent} % of {self.instance_count} machines would begin with "
                f"less than one, and SageMaker allows at most {_LARGEST_STEP} %; set instance_count to at least "
                f"{-(-100 // percent)}, or traffic to all_at_once"
            )
        if self.is_watched and update.wait_seconds < waits:
            yield (
                f"update.wait_seconds: found {update.wait_seconds}, too short for alarms on metrics that come every "
                f"{self.metrics_seconds} s; set it to at least {waits}"
            )
        if percent and not self.is_watched:
            yield (
                f"update.traffic: {update.traffic} goes on unless an alarm goes off, and there are none; set "
                "update.alarms or golden, or traffic to all_at_once"
            )

    @property
    def is_watched(self) -> bool:
        """Whether alarms watch updates."""
        return self.update.alarms is not None or self.golden is not None
