"""What MiniStack's clock, its schedules and what it removes are reached by."""

import importlib
import inspect
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headrace.local.clock import Clock
from headrace.local.engine.ministack import expiry, schedules, time_of_cloud
from headrace.local.engine.ministack.expiry import Expiry, read_rule
from headrace.local.engine.ministack.schedules import Schedules

SERVICES = "ministack.services"
DAY = timedelta(days=1)


class HandClock(Clock):
    """A cloud's clock that stands at an instant."""

    def __init__(self, instant: datetime) -> None:
        super().__init__(instant.timestamp)


@pytest.mark.parametrize("name", time_of_cloud.READERS)
def test_reads_the_time_by_the_names_that_are_replaced(name: str) -> None:
    module = importlib.import_module(name)

    for reader in time_of_cloud.READERS[name]:
        assert hasattr(module, reader)


@pytest.mark.parametrize("service", ["sts", "iam", "kms", "s3"])
def test_leaves_what_keys_and_addresses_are_good_for_on_the_clock_of_this_machine(service: str) -> None:
    assert f"{SERVICES}.{service}" not in time_of_cloud.READERS


def test_stands_in_for_the_clock_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.move(86_400)
    monkeypatch.setattr(time_of_cloud, "CLOCK", clock)
    dates, clock_module = time_of_cloud.CloudDatetime, time_of_cloud.CloudTime()

    assert dates.now(UTC) - datetime.now(UTC) > timedelta(hours=23)
    assert dates.utcnow().tzinfo is None
    assert isinstance(datetime.now(UTC), dates)
    assert clock_module.time() - time.time() > 86_000
    assert time.mktime(clock_module.gmtime()) > time.mktime(time.gmtime())
    assert clock_module.gmtime(0).tm_year == 1970
    assert clock_module.monotonic is time.monotonic


def test_ticks_by_functions_that_are_replaced() -> None:
    events, scheduler = (importlib.import_module(f"{SERVICES}.{name}") for name in ("eventbridge", "scheduler"))

    assert "_tick_scheduled_rules()" in inspect.getsource(events._scheduler_loop)
    assert "_tick_schedules()" in inspect.getsource(scheduler._ticker_loop)
    assert "_rule_last_fired[state_key] = now" in inspect.getsource(events)
    assert "fields = _parse_cron_fields(schedule)" in inspect.getsource(events)
    assert "_cron_next_fire(fields, last_dt)" in inspect.getsource(events)


def test_keeps_logs_and_objects_where_they_are_removed() -> None:
    logs, s3 = (importlib.import_module(f"{SERVICES}.{name}") for name in ("cloudwatch_logs", "s3"))

    assert hasattr(logs._log_groups, "_data")
    assert "with _log_events_lock" in inspect.getsource(logs)
    assert list(inspect.signature(s3._delete_object).parameters) == ["bucket_name", "key", "headers", "query_params"]
    assert list(inspect.signature(s3._abort_multipart_upload).parameters) == ["bucket_name", "key", "query_params"]


def test_finds_the_next_time_of_a_schedule_in_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    events, scheduler = (importlib.import_module(f"{SERVICES}.{name}") for name in ("eventbridge", "scheduler"))
    # Clocks in Berlin are set back in the night to 25 October 2026.
    monkeypatch.setattr(schedules, "CLOCK", HandClock(datetime(2026, 10, 24, 6, tzinfo=UTC)))
    schedule = {
        "State": "ENABLED",
        "ScheduleExpression": "cron(0 8 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "CreationDate": datetime(2026, 10, 24, 6, tzinfo=UTC).timestamp(),
    }
    found = Schedules(events, SimpleNamespace(**vars(scheduler)))
    monkeypatch.setattr(found._scheduler, "_schedule_last_fired", {})

    instant = found._find_next(("a", "r", "default/s"), schedule, 0)

    assert instant is not None
    assert datetime.fromtimestamp(instant, ZoneInfo("Europe/Berlin")).hour == 8
    assert datetime.fromtimestamp(instant, UTC) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_makes_up_for_nothing_that_was_due_while_a_schedule_was_off(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 10, 26, 7, tzinfo=UTC)
    monkeypatch.setattr(schedules, "CLOCK", HandClock(now))
    daily = {
        "State": "DISABLED",
        "ScheduleExpression": "cron(0 6 * * ? *)",
        "CreationDate": (now - 3 * DAY).timestamp(),
    }
    once = {**daily, "ScheduleExpression": "at(2026-10-25T06:00:00)"}
    key, other = ("a", "r", "default/daily"), ("a", "r", "default/once")
    scheduler = importlib.import_module(f"{SERVICES}.scheduler")
    kept = {"_schedules": SimpleNamespace(_data={key: daily, other: once}), "_schedule_last_fired": {}}
    events = SimpleNamespace(
        **{**vars(importlib.import_module(f"{SERVICES}.eventbridge")), "_tick_scheduled_rules": lambda: None},
    )
    events._rules, events._rule_last_fired = SimpleNamespace(_data={key: {"Name": "daily", **daily}}), {}
    found = Schedules(events, SimpleNamespace(**{**vars(scheduler), **kept}))

    found.fire()
    for each in (daily, events._rules._data[key]):
        each["State"] = "ENABLED"

    tomorrow = datetime(2026, 10, 27, 6, tzinfo=UTC).timestamp()
    assert found._find_next(key, daily, now.timestamp()) == tomorrow
    assert found._find_next_of_rule(key, events._rules._data[key], now.timestamp()) == tomorrow
    assert other not in found._scheduler._schedule_last_fired


def test_fires_once_in_the_hour_that_clocks_show_twice() -> None:
    events, scheduler = (importlib.import_module(f"{SERVICES}.{name}") for name in ("eventbridge", "scheduler"))
    # The second 02:15 of that night in Berlin.
    last = datetime(2026, 10, 25, 1, 15, tzinfo=UTC).timestamp()

    instant = Schedules(events, scheduler)._find_occurrence("cron(30 2 * * ? *)", "Europe/Berlin", last)

    assert instant == datetime(2026, 10, 26, 1, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("cron(0 8 29 2 ? *)", datetime(2028, 2, 29, 8, tzinfo=UTC)),
        ("cron(0 8 ? * MON-FRI *)", datetime(2026, 10, 26, 8, tzinfo=UTC)),
        ("cron(0 8 ? * 2#1 2031)", datetime(2031, 1, 6, 8, tzinfo=UTC)),
        ("cron(0 8 31 2 ? *)", None),
        ("every day", None),
    ],
)
def test_reads_the_times_of_rules_as_it_reads_those_of_settings(expression: str, due: datetime | None) -> None:
    events = SimpleNamespace()
    schedules.read_cron_as_settings_do(events)

    found = events._parse_cron_fields(expression)

    assert (found and events._cron_next_fire(found, datetime(2026, 10, 24, 9, tzinfo=UTC))) == due


class FakeS3(SimpleNamespace):
    """MiniStack's S3 as rules are applied to it: it notes what is removed."""

    def __init__(self, rule: dict[str, Any], **state: Any) -> None:
        self.gone: list[tuple[str, str]] = []
        state = {"_object_versions": {}, "_multipart_uploads": {}, **state}
        super().__init__(_bucket_lifecycle={"b": [rule]}, **state)

    def _delete_object(self, _bucket: str, key: str, _headers: Any = None, query: Any = None) -> None:
        self.gone.append((key, query["versionId"][0] if query else "current"))

    def _abort_multipart_upload(self, _bucket: str, key: str, query: Any) -> None:
        self.gone.append((key, query["uploadId"][0]))


def expire(monkeypatch: pytest.MonkeyPatch, s3: FakeS3, now: datetime) -> list[tuple[str, str]]:
    """What has gone at a midnight."""
    monkeypatch.setattr(expiry, "CLOCK", HandClock(now - DAY))
    expires = Expiry(SimpleNamespace(_log_groups=SimpleNamespace(_data={})), s3)
    assert not expires.tick()
    monkeypatch.setattr(expiry, "CLOCK", HandClock(now))
    expires.tick()
    return s3.gone


def stamp(day: int) -> str:
    return f"2026-11-{day:02d}T12:00:00.000Z"


def test_removes_versions_a_while_after_others_took_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [
        {"version_id": "old", "last_modified": stamp(1)},
        {"version_id": "middle", "last_modified": stamp(5)},
        {"version_id": "new", "last_modified": stamp(9)},
    ]
    rule = {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 7}}
    s3 = FakeS3(rule, _buckets={"b": {"objects": {}}}, _object_versions={("b", "k"): versions})

    assert expire(monkeypatch, s3, datetime(2026, 11, 13, tzinfo=UTC)) == [("k", "old")]


def test_removes_objects_and_uploads_below_the_prefix_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = read_rule(
        {
            "Status": "Enabled",
            "Prefix": "tmp/",
            "ExpirationInDays": 3,
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        },
        1,
    )
    objects = {"tmp/a": {"last_modified": stamp(1)}, "kept": {"last_modified": stamp(1)}}
    uploads = {"u": {"bucket": "b", "key": "tmp/b", "created": stamp(1)}}
    s3 = FakeS3(rule, _buckets={"b": {"objects": objects}}, _multipart_uploads=uploads)

    assert expire(monkeypatch, s3, datetime(2026, 11, 5, tzinfo=UTC)) == [("tmp/a", "current"), ("tmp/b", "u")]


FILTERS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"And": {"Prefix": "tmp/", "ObjectSizeGreaterThan": 0}}, [("tmp/a", "current")]),
    ({"And": {"Prefix": "tmp/", "Tags": [{"Key": "k", "Value": "v"}]}}, []),
    ({"Tag": {"Key": "k", "Value": "v"}}, []),
    ({"ObjectSizeGreaterThan": 1}, []),
    ({"And": {"Prefix": "tmp/", "ObjectSizeLessThan": 9}}, []),
]


@pytest.mark.parametrize(("wanted", "gone"), FILTERS)
def test_applies_no_rule_whose_filter_it_does_not_know(
    wanted: dict[str, Any], gone: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"Status": "Enabled", "Filter": wanted, "Expiration": {"Days": 1}}
    objects = {"tmp/a": {"last_modified": stamp(1)}, "kept": {"last_modified": stamp(1)}}

    assert (
        expire(monkeypatch, FakeS3(rule, _buckets={"b": {"objects": objects}}), datetime(2026, 11, 5, tzinfo=UTC))
        == gone
    )


@pytest.fixture
def bucket() -> Iterator[str]:
    """A bucket of MiniStack's in this process."""
    s3 = importlib.import_module(f"{SERVICES}.s3")
    s3._buckets["lifecycle"] = {}
    yield "lifecycle"
    del s3._buckets["lifecycle"]
    s3._bucket_lifecycle.pop("lifecycle", None)


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_keeps_the_prefix_that_a_rule_has_itself(bucket: str, namespace: str) -> None:
    s3 = importlib.import_module(f"{SERVICES}.s3")
    days = "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
    body = (
        f"<LifecycleConfiguration{namespace}><Rule><Prefix>tmp/</Prefix>{days}</Rule>"
        f"<Rule><Filter><Prefix>old/</Prefix></Filter>{days}</Rule><Rule><Filter/>{days}</Rule></LifecycleConfiguration>"
    )

    expiry.keep_prefixes(s3, s3._put_bucket_lifecycle)(bucket, body.encode())

    assert [rule["Filter"].get("Prefix", "") for rule in s3._bucket_lifecycle[bucket]] == ["tmp/", "old/", ""]


@pytest.mark.parametrize(("name", "status"), [("lifecycle", 200), ("gone", 404)])
def test_answers_what_is_no_lifecycle_as_before(bucket: str, name: str, status: int) -> None:
    s3 = importlib.import_module(f"{SERVICES}.s3")

    assert expiry.keep_prefixes(s3, s3._put_bucket_lifecycle)(name, b"<")[0] == status


@pytest.mark.parametrize(
    "more", [{"TagFilters": [{"Key": "k", "Value": "v"}]}, {"ObjectSizeGreaterThan": "1"}, {"ObjectSizeLessThan": 9}]
)
def test_keeps_the_filters_of_templates(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = read_rule({"Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 1, **more}, 1)
    s3 = FakeS3(rule, _buckets={"b": {"objects": {"tmp/a": {"last_modified": stamp(1)}}}})

    assert expire(monkeypatch, s3, datetime(2026, 11, 5, tzinfo=UTC)) == []


def test_keeps_as_many_versions_as_a_rule_says(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [{"version_id": str(day), "last_modified": stamp(day)} for day in range(1, 6)]
    given = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}
    rule = read_rule({"Status": "Enabled", "NoncurrentVersionExpiration": given}, 1)
    s3 = FakeS3(rule, _buckets={"b": {"objects": {}}}, _object_versions={("b", "k"): versions})

    assert rule["NoncurrentVersionExpiration"] == given
    assert expire(monkeypatch, s3, datetime(2026, 11, 20, tzinfo=UTC)) == [("k", "1"), ("k", "2")]


def test_leaves_what_no_rule_is_switched_on_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"Status": "Disabled", "Expiration": {"Days": 1}}
    s3 = FakeS3(rule, _buckets={"b": {"objects": {"k": {"last_modified": stamp(1)}}}})

    assert not expire(monkeypatch, s3, datetime(2026, 11, 5, tzinfo=UTC))


def test_counts_what_is_used_in_functions_that_are_replaced() -> None:
    logs, functions = (importlib.import_module(f"{SERVICES}.{name}") for name in ("cloudwatch_logs", "lambda_svc"))

    assert list(inspect.signature(logs._put_log_events).parameters) == ["data"]
    assert '"PutLogEvents": _put_log_events' in inspect.getsource(logs)
    assert next(iter(inspect.signature(functions._execute_function).parameters)) == "func"
