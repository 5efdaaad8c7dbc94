"""Hours in which something stands: a schedule starts it, and another one stops it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from headrace.schedules import Schedule, parse_schedule

_FIRST_YEAR: Final = 2027
_BEGIN: Final = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
_END: Final = datetime(_FIRST_YEAR + 1, 1, 1, tzinfo=UTC)
_YEAR: Final = _END - _BEGIN
# After so many years, the days of all months are on the same days of the week again.
_CYCLE_YEARS: Final = 28
# Less than the minutes that schedules are made of.
_INSTANT: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Hours:
    """When something stands.

    Args:
        start: When it starts, as `cron(…)` without a year.
        stop: When it stops, in the same form.
        timezone: The time zone of both.
    """

    start: str
    stop: str
    timezone: str = "UTC"

    def find_shortest(self, least: timedelta) -> tuple[timedelta, timedelta]:
        """How long it stands at least, and how long it does not, until the other schedule is due.

        Where one of them is shorter than `least`, that is enough to know.
        """
        start, stop = self._parse()
        years = 1 if _is_weekly(self.start) and _is_weekly(self.stop) else _CYCLE_YEARS
        end = datetime(_FIRST_YEAR + years, 1, 1, tzinfo=UTC)
        return _find_shortest(start, stop, least, end), _find_shortest(stop, start, least, end)

    @property
    def share(self) -> float:
        """The part of all time in which it stands."""
        start, stop = self._parse()
        stands, now = timedelta(), _BEGIN
        while (started := start.next_after(now)) and started < _END and (stopped := stop.next_after(started)):
            stands += stopped.astimezone(UTC) - started.astimezone(UTC)
            now = stopped
        return min(stands / _YEAR, 1.0)

    def _parse(self) -> tuple[Schedule, Schedule]:
        return parse_schedule(self.start, self.timezone), parse_schedule(self.stop, self.timezone)


def _is_weekly(text: str) -> bool:
    """Whether every week of `cron(…)` is like every other, daylight saving apart, so that one year stands for all."""
    _, _, days, months, weekdays, _ = text.removeprefix("cron(").removesuffix(")").upper().split(" ")
    is_in_certain_weeks = "#" in weekdays or (weekdays != "L" and weekdays.endswith("L"))
    return days in ("*", "?") and months == "*" and not is_in_certain_weeks


def _find_shortest(schedule: Schedule, other: Schedule, least: timedelta, end: datetime) -> timedelta:
    """The shortest time from when a schedule is due until another one is."""
    shortest, now = _YEAR, _BEGIN
    following = other.next_after(now)
    while (due := schedule.next_after(now)) and due < end and shortest >= least:
        if following and following < due:
            following = other.next_after(due - _INSTANT)
        shortest = min(shortest, following.astimezone(UTC) - due.astimezone(UTC)) if following else shortest
        now = due
    return shortest
