"""How long something stands that schedules start and stop."""

from datetime import timedelta

import pytest

from headrace.hours import Hours

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "stop", "timezone", "stands", "rests"),
    [
        pytest.param("cron(0 7 ? * MON-FRI *)", "cron(0 19 ? * MON-FRI *)", "UTC", 12, 12, id="working days"),
        # The clocks go on between the start of Saturday and the stop of Sunday.
        pytest.param("cron(0 0 ? * SAT *)", "cron(0 12 ? * SUN *)", "Europe/Berlin", 35, 132, id="summer time"),
        pytest.param("cron(0 22 * * ? *)", "cron(0 6 * * ? *)", "Asia/Tokyo", 8, 16, id="over midnight"),
        pytest.param("cron(0 8,13 * * ? *)", "cron(0 12,18 * * ? *)", "UTC", 4, 1, id="twice a day"),
    ],
)
def test_finds_the_shortest_time_between_two_schedules(
    start: str, stop: str, timezone: str, stands: int, rests: int
) -> None:
    assert Hours(start, stop, timezone).find_shortest(HOUR) == (stands * HOUR, rests * HOUR)


@pytest.mark.parametrize(
    ("start", "stop", "minutes"),
    [
        # The first of June is a Monday in 2026 and 2037, and in 2027 it is six days before one.
        pytest.param("cron(0 7 1 6 ? *)", "cron(30 7 ? * MON *)", 30, id="a day of the month"),
        pytest.param("cron(0 7 ? 6 2#1 *)", "cron(30 7 1 6 ? *)", 30, id="a certain week of a month"),
        pytest.param("cron(0 7 29 2 ? *)", "cron(30 7 ? * * *)", 30, id="a day of leap years"),
    ],
)
def test_finds_what_meets_in_other_years_alone(start: str, stop: str, minutes: int) -> None:
    shortest, _ = Hours(start, stop).find_shortest(HOUR)

    assert shortest == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("start", "stop", "share"),
    [
        ("cron(0 7 ? * MON-FRI *)", "cron(0 19 ? * MON-FRI *)", 261 * 12 / 8760),
        ("cron(0 6 * * ? *)", "cron(0 18 * * ? *)", 0.5),
        # Stopped more often than started, and the other way round.
        ("cron(0 6 ? * MON *)", "cron(0 18 * * ? *)", 52 * 12 / 8760),
        ("cron(0 6 * * ? *)", "cron(0 6 ? * SUN *)", (365 - 52) * 24 / 8760),
    ],
)
def test_says_in_which_part_of_a_year_it_stands(start: str, stop: str, share: float) -> None:
    assert Hours(start, stop).share == pytest.approx(share, rel=0.01)
