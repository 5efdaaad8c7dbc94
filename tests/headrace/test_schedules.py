from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from headrace.schedules import ScheduleError, list_timezones, parse_schedule

START = datetime(2027, 1, 31, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "timezone", "due"),
    [
        ("cron(0 8 ? * MON-FRI *)", "UTC", ["2027-02-01T08:00", "2027-02-02T08:00"]),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin", ["2027-02-01T07:00", "2027-02-02T07:00"]),
        ("cron(0/20 12 * * ? *)", "UTC", ["2027-01-31T12:20", "2027-01-31T12:40", "2027-02-01T12:00"]),
        ("cron(0 0 L * ? *)", "UTC", ["2027-02-28T00:00", "2027-03-31T00:00"]),
        ("cron(0 0 LW * ? *)", "UTC", ["2027-02-26T00:00", "2027-03-31T00:00"]),
        ("cron(0 0 1W * ? *)", "UTC", ["2027-02-01T00:00", "2027-03-01T00:00", "2027-04-01T00:00", "2027-05-03T00:00"]),
        ("cron(0 0 ? * 6L *)", "UTC", ["2027-02-26T00:00", "2027-03-26T00:00"]),
        ("cron(0 0 ? * FRI#3 *)", "UTC", ["2027-02-19T00:00", "2027-03-19T00:00"]),
        ("cron(0 0 ? 2/6 1 *)", "UTC", ["2027-02-07T00:00"]),
        ("cron(0 0 29 2 ? *)", "UTC", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 1 1 ? 2030)", "UTC", ["2030-01-01T00:00"]),
        ("cron(30 2 28 3 ? 2027)", "Europe/Berlin", ["2027-03-28T01:30"]),
        ("at(2027-02-01T08:00:00)", "America/New_York", ["2027-02-01T13:00"]),
        ("rate(90 minutes)", "UTC", ["2027-01-31T13:00", "2027-01-31T14:30"]),
        ("rate(1 day)", "UTC", ["2027-02-01T11:30"]),
    ],
)
def test_is_due_when_aws_would_be(text: str, timezone: str, due: list[str]) -> None:
    start = START.replace(hour=11, minute=30, second=0)
    schedule, now = parse_schedule(text, timezone, start), START

    for each in due:
        found = schedule.next_after(now)
        assert found
        assert found.astimezone(UTC) == datetime.fromisoformat(each).replace(tzinfo=UTC)
        now = found


@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        # Clocks in Berlin go from 03:00 back to 02:00 at 01:00 UTC, and from 02:00 on to 03:00 at 01:00 UTC.
        ("cron(0/30 * * * ? *)", "2026-10-25T00:15", "2026-10-25T00:30"),
        ("cron(0/30 * * * ? *)", "2026-10-25T00:45", "2026-10-25T02:00"),
        ("cron(0/30 * * * ? *)", "2026-10-25T01:15", "2026-10-25T02:00"),
        ("cron(30 2 * * ? *)", "2026-10-25T00:29", "2026-10-25T00:30"),
        ("cron(30 2 * * ? *)", "2026-10-25T01:15", "2026-10-26T01:30"),
        ("cron(0/30 * * * ? *)", "2026-03-29T00:45", "2026-03-29T01:00"),
        ("at(2026-10-25T02:30:00)", "2026-10-25T01:15", None),
        ("rate(1 hour)", "2026-10-25T01:15", "2026-10-25T02:00"),
    ],
)
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_is_due_after_an_instant_whatever_the_clock_on_the_wall_says(
    text: str, after: str, due: str | None, zone: tzinfo
) -> None:
    start = datetime(2026, 10, 24, tzinfo=UTC).astimezone(zone)
    schedule = parse_schedule(text, "Europe/Berlin", start)

    found = schedule.next_after(datetime.fromisoformat(after).replace(tzinfo=UTC).astimezone(zone))

    assert (found and found.astimezone(UTC)) == (due and datetime.fromisoformat(due).replace(tzinfo=UTC))


def test_is_due_once_where_the_time_is_given() -> None:
    schedule = parse_schedule("at(2027-02-01T08:00:00)")

    assert schedule.next_after(datetime(2027, 2, 1, 8, tzinfo=UTC)) is None
    assert schedule.next_after(datetime(2027, 2, 1, 8, tzinfo=UTC) - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cron(0 0 31 2 ? *)", "there is no such day"),
        ("cron(0 0 29 2 ? 2027)", "there is no such day"),
        ("cron(60 0 * * ? *)", "minutes: '60' is not within 0 to 59"),
        ("cron(0 24 * * ? *)", "hours: '24' is not within 0 to 23"),
        ("cron(0 0 * * * *)", "one of the day and the day of the week must be"),
        ("cron(0 0 ? * ? *)", "one of the day and the day of the week must be"),
        ("cron(0 0 ? * FUN *)", "day of the week: 'FUN' is not a number or one of SUN"),
        ("cron(0 0 ? * FRI-MON *)", "'FRI-MON' is not within"),
        ("cron(0 0 ? * FRI#6 *)", "'6' is not within 1 to 5"),
        ("cron(0/0 0 * * ? *)", "'0/0' is not within"),
        ("cron(0 0 32W * ? *)", "'32' is not within 1 to 31"),
        ("cron(0 0 1-5W * ? *)", "day: '1-5' is not a number"),
        ("cron(0 0 * 13 ? *)", "month: '13' is not within 1 to 12"),
        ("cron(0 0 * * ? 2200)", "year: '2200' is not within"),
        ("cron(0 0 * * ?)", "six fields"),
        ("at(2027-02-30T08:00:00)", "there is no such time"),
        ("rate(1 days)", "is not at"),
        ("every day", "is not at"),
    ],
)
def test_refuses_what_is_never_due(text: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse_schedule(text)


def test_knows_time_zones_whatever_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoneinfo.TZPATH", ())

    assert {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"} <= list_timezones()
    assert "posixrules" not in list_timezones()
