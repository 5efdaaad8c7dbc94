"""The settings of endpoints that have as many machines as their requests need."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Change, Section, Setting

# https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
_AT: Final = r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
_RATE: Final = r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,3}) (minutes|hours|days))\)"
_CRON: Final = r"cron\([^ ()]+( [^ ()]+){5}\)"
_MOST_MACHINES: Final = 100
_IN_PROPORTION: Final = "machines in proportion"


def _check_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


def _check_range(least: int, most: int) -> None:
    if least > most:
        raise ValueError(f"min_instances: found {least}, which is above max_instances {most}")


Count = Annotated[int, Field(ge=1, le=_MOST_MACHINES)]


class ScalingScheduleSettings(Section):
    """Other bounds from a time on, until another schedule sets others."""

    at: Annotated[
        str,
        StringConstraints(pattern=rf"^({_AT}|{_RATE}|{_CRON})$"),
        Allowed("text such as cron(0 8 ? * MON-FRI *), rate(1 day) or at(2027-01-31T08:00:00)"),
        Setting("when these bounds begin", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    timezone: Annotated[
        str,
        AfterValidator(_check_timezone),
        Allowed("the name of a time zone, such as Europe/Berlin"),
        Setting("the time zone of `at`; daylight saving is followed", cost=NOTHING, change=NEXT_EXECUTION),
    ] = "UTC"
    min_instances: Annotated[
        Count, Setting("the fewest machines from then on", cost=_IN_PROPORTION, change=NEXT_EXECUTION)
    ]
    max_instances: Annotated[
        Count, Setting("the most machines from then on", cost=_IN_PROPORTION, change=NEXT_EXECUTION)
    ]

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        _check_range(self.min_instances, self.max_instances)
        return self


class ScalingSettings(Section):
    """Machines by the number of requests: target tracking, within bounds that schedules may change."""

    enabled: Annotated[
        bool,
        Setting(
            "whether the endpoint scales; with false, executions remove what scales it",
            cost=NOTHING,
            change=Change("from the next execution on; with false, it then has `instance_count` machines"),
        ),
    ] = True
    min_instances: Annotated[Count, Setting("the fewest machines", cost=_IN_PROPORTION, change=NEXT_EXECUTION)] = 1
    max_instances: Annotated[Count, Setting("the most machines", cost=_IN_PROPORTION, change=NEXT_EXECUTION)] = 2
    invocations_per_minute: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting(
            "how many requests a minute each machine is to get: with more, machines are added, with fewer, removed",
            cost="two alarms of CloudWatch, 0.20 a month",
            change=NEXT_EXECUTION,
        ),
    ] = 1000
    scale_out_cooldown_seconds: Annotated[
        int,
        Field(ge=0, le=3600),
        Setting("how long nothing more is added after machines were", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 300
    scale_in_cooldown_seconds: Annotated[
        int,
        Field(ge=0, le=3600),
        Setting("how long nothing more is removed after machines were", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 300
    schedules: Annotated[
        tuple[ScalingScheduleSettings, ...],
        Field(max_length=20, strict=False),
        Setting("other bounds at certain times", cost=NOTHING, change=NEXT_EXECUTION),
    ] = ()

    @property
    def least(self) -> int:
        """The fewest machines that there may be at any time."""
        return min([self.min_instances, *(schedule.min_instances for schedule in self.schedules)])

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        _check_range(self.min_instances, self.max_instances)
        return self


def list_scaling_mistakes(endpoint: Any, scaling: ScalingSettings) -> Iterator[str]:
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
