"""The settings of checks for drift."""

from datetime import timedelta
from typing import Any

import pytest

from headrace.drift.comparison import DEFAULT_MIN_ROWS, DEFAULT_THRESHOLD
from headrace.recipes import big_mart
from stacks.settings.drift import DriftSettings
from stacks.settings.environment import Settings
from stacks.settings.mistakes import SettingsError
from tests.stacks.conftest import context_of, set_path


def read_drift(workload: str = "bigmart", **endpoint: Any) -> DriftSettings | None:
    context = context_of("dev")
    set_path(context["environments"]["dev"], f"{workload}.endpoint", endpoint)
    return Settings.from_mapping("dev", context["environments"]).workload(big_mart.RECIPE).drift


def test_is_off_by_default() -> None:
    assert read_drift() is None


def test_has_the_defaults_of_the_command() -> None:
    drift = read_drift(capture={}, drift={})

    assert drift
    assert (drift.threshold, drift.min_rows) == (DEFAULT_THRESHOLD, DEFAULT_MIN_ROWS)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("rate(1 hour)", timedelta(hours=1)),
        ("cron(0 6 * * ? *)", timedelta(hours=25)),
        ("cron(0 6 ? * MON *)", timedelta(days=7, hours=1)),
        ("cron(0 6 ? * MON-FRI *)", timedelta(days=3, hours=1)),
    ],
)
def test_knows_how_long_it_is_between_checks_with_daylight_saving(schedule: str, gap: timedelta) -> None:
    assert DriftSettings(schedule=schedule, timezone="Europe/Berlin").longest_gap == gap


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"drift": {}}, "drift: no requests are kept that could be checked; set capture, or leave drift out"),
        (
            {"capture": {"days": 2}, "drift": {"window_hours": 72}},
            "drift.window_hours: found 72, but what was asked is gone after capture.days 2; look back less, or keep it "
            "longer",
        ),
        (
            {"capture": {}, "drift": {"schedule": "rate(30 minutes)"}},
            "schedule: found 'rate(30 minutes)', which is due twice within 30 minutes; leave an hour between checks, "
            "each of which is a job",
        ),
        (
            {"capture": {}, "drift": {"schedule": "cron(0 6 1 * ? *)"}},
            "schedule: found 'cron(0 6 1 * ? *)', which is not due for more than a week; alarms look back a week at "
            "most, and a check that is missing must be noticed",
        ),
        ({"capture": {}, "drift": {"schedule": "at(2030-01-01T00:00:00)"}}, "checks repeat; use rate(…) or cron(…)"),
        ({"capture": {}, "drift": {"timezone": "Mars/Base"}}, "not a time zone of the IANA database"),
    ],
)
def test_refuses_checks_that_could_find_nothing_or_be_missed(endpoint: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_drift(**endpoint)

    assert message in str(caught.value)


def test_is_not_there_for_a_workload_that_has_no_rows_of_columns() -> None:
    with pytest.raises(SettingsError, match=r"images\.endpoint\.drift: unknown key"):
        read_drift("images", capture={}, drift={})


def test_is_refused_with_a_batch() -> None:
    context = context_of("dev")
    set_path(context["environments"]["dev"], "bigmart", {"deploy": "batch", "endpoint": {"capture": {}, "drift": {}}})

    with pytest.raises(SettingsError, match=r"bigmart\.endpoint\.drift: deploy is batch, which makes no endpoint"):
        Settings.from_mapping("dev", context["environments"])
