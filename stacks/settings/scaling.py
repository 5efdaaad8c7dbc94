"""The settings of endpoints that have as many machines as their requests need."""

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from headrace.schedules import parse_schedule
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Change, Section, Setting
from stacks.settings.times import Timezone

_MOST_MACHINES: Final = 100
_IN_PROPORTION: Final = "machines in proportion"


def _check_schedule(text: str) -> str:
    parse_schedule(text)
    return text


def _check_range(least: int, most: int) -> None:
    if least > most:
        raise ValueError(f"min_instances: found {least}, which is above max_instances {most}")


Count = Annotated[int, Field(ge=1, le=_MOST_MACHINES)]


class ScalingScheduleSettings(Section):
    """Other bounds from a time on, until another schedule sets others."""

    at: Annotated[
        str,
        AfterValidator(_check_schedule),
        Allowed("text such as cron(0 8 ? * MON-FRI *), rate(1 day) or at(2027-01-31T08:00:00)"),
        Setting("when these bounds begin", cost=NOTHING, change=NEXT_EXECUTION),
    ]
    timezone: Annotated[
        Timezone,
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

    @model_validator(mode="after")
    def _check_future(self) -> Self:
        # Application Auto Scaling refuses a time that is past, and would leave the endpoint without this schedule.
        if not parse_schedule(self.at, self.timezone).next_after(datetime.now(UTC)):
            raise ValueError(f"at: found {self.at!r}, which is past in {self.timezone}; remove it, or set a later time")
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

    @model_validator(mode="after")
    def _check_schedules(self) -> Self:
        begin = [(schedule.at, schedule.timezone) for schedule in self.schedules]
        for number, each in enumerate(begin):
            first = begin.index(each)
            if first < number:
                raise ValueError(
                    f"schedules.{number}.at: found {each[0]!r} in {each[1]}, as in schedules.{first}; which of the "
                    "two sets the bounds last is left to chance, so remove one"
                )
        return self
