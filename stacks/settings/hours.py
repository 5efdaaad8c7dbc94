"""The settings of when an endpoint stands."""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from headrace.hours import Hours
from headrace.schedules import parse_schedule
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Section, Setting
from stacks.settings.times import Timezone

# An endpoint takes some minutes to come and to go, and an execution may have its turn meanwhile.
_LEAST: Final = timedelta(hours=1)


def _check_time(text: str) -> str:
    parse_schedule(text)
    if not text.startswith("cron(") or not text.endswith(" *)"):
        raise ValueError("hours come again every year; use cron(…) with * for the year")
    return text


Time = Annotated[str, AfterValidator(_check_time), Allowed("text such as cron(0 7 ? * MON-FRI *), with * for the year")]


class HoursSettings(Section):
    """When an endpoint stands: it is made at certain times, and deleted at others."""

    start: Annotated[Time, Setting("when it is made again", cost="that of its machines from then on", change=IN_PLACE)]
    stop: Annotated[Time, Setting("when it is deleted", cost=NOTHING, change=IN_PLACE)]
    timezone: Annotated[
        Timezone,
        Setting("the time zone of both; daylight saving is followed", cost=NOTHING, change=IN_PLACE),
    ] = "UTC"

    @property
    def hours(self) -> Hours:
        """The same without settings, to be counted."""
        return Hours(self.start, self.stop, self.timezone)

    @property
    def shortest(self) -> tuple[timedelta, timedelta]:
        """How long it stands at least, and how long it does not."""
        return self.hours.find_shortest(_LEAST)

    @model_validator(mode="after")
    def _check_gaps(self) -> Self:
        stands, rests = self.shortest
        for key, gap, other in (("stop", stands, "start"), ("start", rests, "stop")):
            if gap < _LEAST:
                raise ValueError(
                    f"{key}: found {getattr(self, key)!r}, which is due {int(gap.total_seconds()) // 60} minutes after "
                    f"{other} {getattr(self, other)!r} at least once in some years; leave an hour between them"
                )
        return self
