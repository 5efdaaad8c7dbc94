"""The settings of endpoints: their machines, and how executions update them."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from headrace.contract import GOLDEN_FILE
from stacks.settings.capture import CaptureSettings
from stacks.settings.drift import DriftSettings
from stacks.settings.hours import HoursSettings
from stacks.settings.instance_types import EndpointInstanceType
from stacks.settings.jobs import ProcessingSettings
from stacks.settings.scaling import ScalingSettings
from stacks.settings.section import (
    NEXT_EXECUTION,
    NOTHING,
    Allowed,
    Change,
    Section,
    Setting,
)
from stacks.settings.serverless import ServerlessSettings
from stacks.settings.update import LARGEST_STEP, UpdateSettings

# An alarm looks at whole periods, and the first one after the switch has begun before it.
_PERIODS_PER_WAIT = 2
_HOURS_PER_DAY = 24
# What endpoints of machines have, and serverless ones do not.
_OF_MACHINES = ("instance_type", "instance_count", "metrics_seconds")

_NEXT_UPDATE = Change("the next execution updates the endpoint, which serves all the while")

StandardMetricSeconds = Literal[10, 30, 60]


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
        EndpointInstanceType,
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
    capture: Annotated[
        CaptureSettings | None,
        Setting(
            "keeping requests and answers in the work bucket, below `captured/WORKLOAD/`; null for none",
            cost="0.023 per GB and month of what is kept, and 0.005 per 1,000 files",
            change=Change(
                "the next execution updates the endpoint, which serves all the while; what was kept stays until it "
                "expires"
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

    hours: Annotated[
        HoursSettings | None,
        Setting(
            "when it stands: it is deleted at certain times, and made again at others; null for always",
            cost="that of its machines while it stands; two schedules and the states of an execution, next to nothing",
            change=Change("in place. Null removes the schedules, and leaves the endpoint as it is then"),
        ),
    ] = None

    # An alarm looks back for a week: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    idle_stop_days: Annotated[
        Annotated[int, Field(ge=1, le=7)] | None,
        Allowed("a whole number from 1 to 7, or null"),
        Setting(
            "after how many days without a call, golden requests included, it is deleted, until it is started by hand "
            "or an execution serves; null for never",
            cost="an alarm on two metrics, 0.20 a month",
            change=Change("null removes the alarm, and leaves the endpoint as it is then"),
        ),
    ] = None

    @model_validator(mode="after")
    def _check_update(self) -> Self:
        if mistakes := list(self._list_mistakes()):
            raise ValueError("\n".join(mistakes))
        return self

    def _list_mistakes(self) -> Iterator[str]:
        """What the update asks for and the endpoint does not have."""
        update = self.update
        percent, waits = update.first_percent, _PERIODS_PER_WAIT * self.metrics_seconds
        if self.scaling:
            yield from _list_scaling_mistakes(self, self.scaling)
        if self.hours and self.idle_stop_days:
            yield "idle_stop_days: with hours no day without a call is ever full; leave hours or idle_stop_days out"
        if self.serverless:
            yield from _list_serverless_mistakes(self)
        elif percent and percent * self.instance_count < 100:
            yield (
                f"update.traffic: {update.traffic} with {percent} % of {self.instance_count} machines would begin with "
                f"less than one, and SageMaker allows at most {LARGEST_STEP} %; set instance_count to at least "
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
    def is_stoppable(self) -> bool:
        """Whether executions stop it, and start it again."""
        return self.hours is not None or self.idle_stop_days is not None

    @property
    def is_watched(self) -> bool:
        """Whether alarms watch updates."""
        return self.update.alarms is not None or self.golden is not None


class CheckedEndpointSettings(EndpointSettings):
    """An endpoint whose requests can be compared with what its model was trained on."""

    drift: Annotated[
        DriftSettings | None,
        Setting(
            "checks by schedule whether what the endpoint is asked still looks like its training data, with an alarm, "
            "and with retraining if you like; needs `capture`; null for none",
            cost="a job of some minutes per check, about 0.01; four metrics and two alarms, 1.40 a month",
            change=Change(
                "null removes the schedule, the state machine, its logs and the alarms; reports stay. A version "
                "that was made before versions kept a profile is not compared: the next execution makes one that is",
                loses=(
                    "AWS::Events::Rule",
                    "AWS::Lambda::Function",
                    "AWS::Logs::LogGroup",
                    "AWS::StepFunctions::StateMachine",
                ),
            ),
        ),
    ] = None

    def _list_mistakes(self) -> Iterator[str]:
        yield from super()._list_mistakes()
        if self.drift:
            yield from _list_drift_mistakes(self.drift, self.capture)


def _list_drift_mistakes(drift: DriftSettings, capture: CaptureSettings | None) -> Iterator[str]:
    """What checks for drift ask for and the endpoint does not keep."""
    if not capture:
        yield "drift: no requests are kept that could be checked; set capture, or leave drift out"
    elif drift.window_hours > capture.days * _HOURS_PER_DAY:
        yield (
            f"drift.window_hours: found {drift.window_hours}, but what was asked is gone after capture.days "
            f"{capture.days}; look back less, or keep it longer"
        )


def _list_scaling_mistakes(endpoint: EndpointSettings, scaling: ScalingSettings) -> Iterator[str]:
    """What contradicts the scaling of an endpoint, each beginning with its key."""
    if endpoint.serverless:
        yield "scaling: a serverless endpoint has no machines to add or remove; leave scaling or serverless out"
        return
    if not scaling.enabled:
        return
    if not scaling.min_instances <= endpoint.instance_count <= scaling.max_instances:
        yield (
            f"instance_count: found {endpoint.instance_count}, which is not from scaling.min_instances "
            f"{scaling.min_instances} to scaling.max_instances {scaling.max_instances}; an endpoint begins with it"
        )
    family = endpoint.instance_type.split(".")[1]
    if family.startswith("t") and not family.startswith("trn"):
        yield f"instance_type: {endpoint.instance_type} is burstable, which SageMaker does not scale; choose another"
    percent = endpoint.update.first_percent
    if percent and percent * scaling.least < 100 <= percent * endpoint.instance_count:
        yield (
            f"update.traffic: {endpoint.update.traffic} with {percent} % of {scaling.least} machines, the fewest that "
            f"scaling leaves, would begin with less than one; set scaling.min_instances to at least "
            f"{-(-100 // percent)}"
        )


def _list_serverless_mistakes(endpoint: EndpointSettings) -> Iterator[str]:
    """What the settings of a serverless endpoint ask for and serverless endpoints do not have.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
    """
    for key in _OF_MACHINES:
        if (found := getattr(endpoint, key)) != EndpointSettings.model_fields[key].default:
            yield f"{key}: found {found}, but a serverless endpoint has no machines; leave {key} or serverless out"
    if endpoint.update.first_percent:
        yield (
            f"update.traffic: {endpoint.update.traffic} moves requests by shares of the machines, and a serverless "
            "endpoint has none; set it to all_at_once, or leave serverless out"
        )
    if endpoint.hours:
        yield "hours: a serverless endpoint costs nothing while it is not asked; leave hours or serverless out"
    if endpoint.idle_stop_days:
        yield "idle_stop_days: a serverless endpoint costs nothing while it is idle; leave it or serverless out"
    if endpoint.capture:
        yield "capture: serverless endpoints keep no requests; set capture to null, or leave serverless out"
    if endpoint.update.alarms and endpoint.update.alarms.container_errors:
        yield (
            "update.alarms.container_errors: SageMaker collects `/metrics` from machines, and a serverless endpoint "
            "has none; set it to false, or leave serverless out"
        )
