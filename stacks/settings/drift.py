"""The settings of checks for drift: when what an endpoint was asked is compared with what its model was trained on."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from headrace.drift.comparison import DEFAULT_MIN_ROWS, DEFAULT_THRESHOLD
from headrace.schedules import parse_schedule
from stacks.settings.instance_types import JobInstanceType
from stacks.settings.jobs import ProcessingSettings
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Setting
from stacks.settings.times import Timezone

_SHORTEST_GAP: Final = timedelta(hours=1)
# A job has ten inputs, and the profile and the truth are two of them: the requests of a week are on eight days.
_MOST_HOURS: Final = 7 * 24
# Alarms of CloudWatch look back a week: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
# A week may have an hour more.
_LONGEST_GAP: Final = timedelta(days=7, hours=1)
_BEGIN: Final = datetime(2028, 1, 1, tzinfo=UTC)
_END: Final = datetime(2029, 1, 1, tzinfo=UTC)

_COST: Final = "a processing job per check: 0.05 an hour for ml.t3.medium, some minutes"


def _check_schedule(text: str) -> str:
    parse_schedule(text)
    if text.startswith("at("):
        raise ValueError("checks repeat; use rate(…) or cron(…)")
    return text


class DriftSettings(ProcessingSettings):
    """Checks of what the endpoint was asked, by schedule: the job, what counts, and what becomes of drift."""

    instance_type: Annotated[
        JobInstanceType, Setting("the machine of the job", cost="by the second while it runs", change=IN_PLACE)
    ] = "ml.t3.medium"
    schedule: Annotated[
        str,
        AfterValidator(_check_schedule),
        Allowed("text such as cron(0 6 * * ? *) or rate(12 hours), at most once an hour and at least once a week"),
        Setting("when it is checked", cost=_COST, change=IN_PLACE),
    ] = "cron(0 6 * * ? *)"
    timezone: Annotated[
        Timezone,
        Setting("the time zone of `schedule`; daylight saving is followed", cost=NOTHING, change=IN_PLACE),
    ] = "UTC"
    window_hours: Annotated[
        int,
        Field(ge=1, le=_MOST_HOURS),
        Setting("of how many hours before a check requests count", cost=NOTHING, change=IN_PLACE),
    ] = 24
    threshold: Annotated[
        float,
        Field(ge=0.01, le=10),
        Setting(
            "above which population stability index a column has drifted; 0.1 is some change, 0.2 much",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = DEFAULT_THRESHOLD
    min_rows: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting(
            "below how many rows nothing is said; a column of many bins needs more by itself",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = DEFAULT_MIN_ROWS
    retrain: Annotated[
        bool,
        Setting(
            "whether drift starts an execution of the workload, once for the same training data",
            cost="that of an execution",
            change=IN_PLACE,
        ),
    ] = False

    @property
    def longest_gap(self) -> timedelta:
        """How long it is at most from a check to the next one."""
        return max(_list_gaps(self.schedule, self.timezone))

    @model_validator(mode="after")
    def _check_gaps(self) -> Self:
        for gap in _list_gaps(self.schedule, self.timezone):
            if gap < _SHORTEST_GAP:
                raise ValueError(
                    f"schedule: found {self.schedule!r}, which is due twice within {int(gap.total_seconds()) // 60} "
                    "minutes; leave an hour between checks, each of which is a job"
                )
            if gap > _LONGEST_GAP:
                raise ValueError(
                    f"schedule: found {self.schedule!r}, which is not due for more than a week; alarms look back a "
                    "week at most, and a check that is missing must be noticed"
                )
        return self


@cache
def _list_gaps(text: str, timezone: str) -> tuple[timedelta, ...]:
    """The times between checks in a year, up to the first one that is out of bounds."""
    schedule = parse_schedule(text, timezone, _BEGIN)
    gaps: list[timedelta] = []
    last = schedule.next_after(_BEGIN)
    while last and last < _END and (due := schedule.next_after(last)):
        gaps.append(due.astimezone(UTC) - last.astimezone(UTC))
        if not _SHORTEST_GAP <= gaps[-1] <= _LONGEST_GAP:
            break
        last = due
    return tuple(gaps) or (timedelta.max,)
