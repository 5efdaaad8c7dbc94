"""Schedules as AWS writes them: `at(…)`, `rate(…)` and `cron(…)`, and when they are due.

https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from headrace.errors import HeadraceError

_AT: Final = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)
_RATE: Final = re.compile(r"rate\((?:1 (minute|hour|day)|([2-9]|[1-9][0-9]{1,3}) (minute|hour|day)s)\)")
_CRON: Final = re.compile(r"cron\(([^()]+)\)")
_FIELDS: Final = 6
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SATURDAY: Final = 6
_MOST_DAYS: Final = 31
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199


class ScheduleError(HeadraceError, ValueError):
    """A schedule that says nothing, or a time that never comes; the message says what is wrong."""


class Schedule:
    """When something is due.

    Args:
        next_after: The first time after another, both with their zone; None for never again.
    """

    def __init__(self, next_after: Callable[[datetime], datetime | None]) -> None:
        self.next_after = next_after


@cache
def list_timezones() -> frozenset[str]:
    """The names of the time zones of the IANA database, whatever the machine has of it."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def parse_schedule(text: str, timezone: str = "UTC", start: datetime | None = None) -> Schedule:
    """The schedule of an expression.

    Args:
        text: The expression.
        timezone: The zone of its times.
        start: What rates are counted from.

    Raises:
        ScheduleError: If it is none, or never due.
    """
    if found := _AT.fullmatch(text):
        return _parse_at(found[1], ZoneInfo(timezone))
    if found := _RATE.fullmatch(text):
        minutes = {"minute": 1, "hour": 60, "day": 1440}[found[1] or found[3]]
        return _every(timedelta(minutes=int(found[2] or 1) * minutes), start or datetime.fromtimestamp(0, UTC))
    if found := _CRON.fullmatch(text):
        return _parse_cron(found[1], ZoneInfo(timezone))
    raise ScheduleError("it is not at(…), rate(…) or cron(…), such as cron(0 8 ? * MON-FRI *)")


def _parse_at(text: str, zone: ZoneInfo) -> Schedule:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError as error:
        raise ScheduleError(f"there is no such time: {error}") from error
    return Schedule(lambda after: moment if moment.timestamp() > after.timestamp() else None)


def _every(period: timedelta, start: datetime) -> Schedule:
    begin = start.astimezone(UTC)
    return Schedule(lambda after: begin + ((after - begin) // period + 1) * period)


@dataclass(frozen=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: Callable[[date], bool]
    zone: ZoneInfo

    def next_after(self, after: datetime) -> datetime | None:
        """The next minute that is due: one that the clock skips when it would have come to it, one of two once."""
        now = after.timestamp()
        times = [time(hour, minute) for hour in self.hours for minute in self.minutes]
        for day in self._list_days(after.astimezone(self.zone).date()):
            # Times of one zone would be compared by what its clocks show, and in autumn they show an hour twice.
            instants = (datetime.combine(day, each, self.zone).timestamp() for each in times)
            if due := [instant for instant in instants if instant > now]:
                return datetime.fromtimestamp(min(due), self.zone)
        return None

    def _list_days(self, day: date) -> Iterator[date]:
        while day.year <= max(self.years):
            if day.year in self.years and day.month in self.months and self.is_day(day):
                yield day
            day = _follow(day, is_year=day.year in self.years, is_month=day.month in self.months)


def _follow(day: date, *, is_year: bool, is_month: bool) -> date:
    """The first day after another that may be due."""
    if not is_year:
        return date(day.year + 1, 1, 1)
    if not is_month:
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day + timedelta(days=1)


def _parse_cron(text: str, zone: ZoneInfo) -> Schedule:
    fields = text.upper().split(" ")
    if len(fields) != _FIELDS:
        raise ScheduleError(
            f"cron has six fields (minutes, hours, day, month, day of the week, year), not {len(fields)}"
        )
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError("one of the day and the day of the week must be ?, and not both")
    cron = _Cron(
        minutes=_parse_field("minutes", minutes, 0, 59),
        hours=_parse_field("hours", hours, 0, 23),
        months=_parse_field("month", months, 1, 12, _MONTHS),
        years=_parse_field("year", years, _FIRST_YEAR, _LAST_YEAR),
        is_day=_parse_weekdays(weekdays) if days == "?" else _parse_days(days),
        zone=zone,
    )
    if not cron.next_after(datetime(max(_FIRST_YEAR, min(cron.years)), 1, 1, tzinfo=zone) - timedelta(minutes=1)):
        raise ScheduleError("there is no such day")
    return Schedule(cron.next_after)


def _parse_field(name: str, text: str, least: int, most: int, names: Sequence[str] = ()) -> frozenset[int]:
    """The numbers that a field such as `*`, `0/15` or `MON-FRI,SUN` names."""
    values = {each: least + place for place, each in enumerate(names)}
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = least if span == "*" else _parse_number(name, first, values)
        end = most if span == "*" or (slash and not dash) else _parse_number(name, last if dash else first, values)
        every = _parse_number(name, step, {}) if slash else 1
        if not (least <= begin <= end <= most and every >= 1):
            raise ScheduleError(f"{name}: {part!r} is not within {least} to {most}")
        found.update(range(begin, end + 1, every))
    return frozenset(found)


def _parse_number(name: str, text: str, values: dict[str, int]) -> int:
    if text in values:
        return values[text]
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_LAST_YEAR))):
        raise ScheduleError(f"{name}: {text!r} is not a number" + (f" or one of {', '.join(values)}" if values else ""))
    return int(text)


def _parse_days(text: str) -> Callable[[date], bool]:
    """Days of the month: numbers, `L` for the last, `15W` for the weekday nearest to a day, `LW` for the last."""
    if text == "L":
        return lambda day: day.day == _count_days(day)
    if text == "LW":
        return lambda day: day.day == _find_weekday(day, _count_days(day))
    if text.endswith("W"):
        number = _parse_number("day", text.removesuffix("W"), {})
        if not 1 <= number <= _MOST_DAYS:
            raise ScheduleError(f"day: '{number}' is not within 1 to {_MOST_DAYS}")
        return lambda day: number <= _count_days(day) and day.day == _find_weekday(day, number)
    numbers = _parse_field("day", text, 1, _MOST_DAYS)
    return lambda day: day.day in numbers


def _parse_weekdays(text: str) -> Callable[[date], bool]:
    """Days of the week: names or numbers from Sunday, 1, `6L` for the last Friday, `6#3` for the third."""
    name = "day of the week"
    if text != "L" and text.endswith("L"):
        numbers = _parse_field(name, text.removesuffix("L"), 1, 7, _WEEKDAYS)
        return lambda day: _number_weekday(day) in numbers and day.day + 7 > _count_days(day)
    weekday, sharp, place = text.partition("#")
    numbers = _parse_field(name, "SAT" if weekday == "L" else weekday, 1, 7, _WEEKDAYS)
    places = _parse_field(name, place, 1, 5) if sharp else range(1, 6)
    return lambda day: _number_weekday(day) in numbers and (day.day + 6) // 7 in places


def _number_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _count_days(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _find_weekday(month: date, number: int) -> int:
    """The day from Monday to Friday that is nearest to a day of the month, and in it."""
    weekday = month.replace(day=number).isoweekday()
    if weekday == _SATURDAY:
        return number - 1 if number > 1 else number + 2
    if weekday > _SATURDAY:
        return number + 1 if number < _count_days(month) else number - 2
    return number
