"""Thirty days of the platform by its own settings, and a bill that can be calculated without it."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from click.testing import CliRunner

from headrace.cli import cli
from headrace.contract import CAPTURED_PREFIX
from headrace.local.page.tokens import write_address
from tests.end_to_end.simulated_month import (
    CHECKED_AT,
    CLOSES_AT,
    KEPT_DAYS,
    KEPT_VERSIONS,
    OPENS_AT,
    PHOTOGRAPHS,
    REPORTED_AFTER_DAYS,
    SALES,
    SHIFTED_DAY,
    STOPPED_AFTER_DAYS,
    ZONE,
    Month,
    simulate,
)
from tests.examples import only_exhaustive

pytestmark = [
    pytest.mark.slow,
    only_exhaustive(
        "test_drift.py, test_endpoint_hours.py and test_watching.py let days pass for drift, hours and alarms; what "
        "expires and the bill of days have unit tests"
    ),
]

DAYS = 30
# From a Monday on: Mondays to Fridays, and Wednesdays.
WORKING_DAYS = 22
WEEKLY_TRAININGS = 4
# List prices of us-east-1, in dollars.
MACHINE_HOUR, ALARM_MONTH, KEY_MONTH, DASHBOARD_MONTH = 0.115, 0.10, 1.00, 3.00
MONTHS = DAYS * 24 / 730
# As docs/watching.md, docs/drift.md and docs/settings.md have them: three of each state machine, of which there are
# four; approvals; what starts stops; two metrics each of the report and of the stop; drift; the normalizer.
ALARMS = 4 * 3 + 2 + 2 + 2 + 2 + 2 + 3


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, sales: Path) -> Iterator[Month]:
    with simulate(tmp_path_factory.mktemp("month"), sales, DAYS) as month:
        yield month


def count_open_hours() -> float:
    return WORKING_DAYS * (CLOSES_AT - OPENS_AT)


def count_idle_hours() -> float:
    """That of photographs was made two hours before the month, and the alarm counts hours that have begun as whole."""
    return STOPPED_AFTER_DAYS * 24 - 2 - 1


def test_starts_and_stops_the_endpoint_on_working_days(month: Month) -> None:
    executions = month.list_executions("bigmart-Training")

    for action, hour in (("START", OPENS_AT), ("STOP", CLOSES_AT)):
        of_action = [each for each in executions if each["input"].get("EndpointAction") == action]
        times = [each["startDate"].astimezone(ZoneInfo(ZONE)) for each in of_action]
        assert len(of_action) == WORKING_DAYS
        assert {(time.hour, time.minute) for time in times} == {(hour, 0)}
        assert {time.weekday() for time in times} == {0, 1, 2, 3, 4}
    assert {each["status"] for each in executions} == {"SUCCEEDED"}
    assert not boto3.client("sagemaker").list_endpoints()["Endpoints"]


def test_trains_each_week_and_once_for_the_drift(month: Month) -> None:
    executions = month.list_executions("bigmart-Training")
    trainings = [each for each in executions if "EndpointAction" not in each["input"]]

    by_drift = [each for each in trainings if each["name"].startswith("drift-")]
    assert len(trainings) == WEEKLY_TRAININGS + 1
    assert [each["startDate"].date() for each in by_drift] == [(month.begin + timedelta(days=SHIFTED_DAY)).date()]
    assert {each["output"]["Outcome"] for each in trainings} == {"SERVING"}


@pytest.mark.usefixtures("month")
def test_keeps_the_versions_that_the_settings_say() -> None:
    sagemaker: Any = boto3.client("sagemaker")

    assert len(sagemaker.list_model_packages(ModelPackageGroupName=SALES)["ModelPackageSummaryList"]) == KEPT_VERSIONS
    # That of photographs stays as well, as its endpoint may be started again.
    assert len(sagemaker.list_endpoint_configs()["EndpointConfigs"]) == KEPT_VERSIONS + 1
    assert len(sagemaker.list_models()["Models"]) == KEPT_VERSIONS + 1


def test_checks_each_day_and_finds_drift_on_the_shifted_day_and_not_before(month: Month) -> None:
    checks = month.list_executions("DriftChecks")
    verdicts = [each["output"]["Verdict"] for each in checks]

    assert {each["startDate"].astimezone(ZoneInfo(ZONE)).hour for each in checks} == {CHECKED_AT}
    assert verdicts == [find_verdict(day) for day in range(DAYS)]
    assert checks[SHIFTED_DAY]["output"]["Columns"] == ["Item_MRP"]
    raised = month.list_times("alarm headrace-dev-bigmart-drift", "→ ALARM")
    assert [time.date() for time in raised] == [(month.begin + timedelta(days=SHIFTED_DAY)).date()]


def test_mails_drift_with_its_columns_and_no_check_that_found_none(month: Month) -> None:
    ((day, text),) = [each for each in month.notices if "DriftChecks" in each[1]]

    assert day == SHIFTED_DAY
    assert ": drifted\nWhy: drifted: Item_MRP (among 500 rows, against 1500 of training)\nReport: s3://" in text
    assert "\nRetraining: arn:" in text


def test_mails_what_has_become_of_the_endpoint_each_morning_and_evening(month: Month) -> None:
    for outcome in ("STARTED", "STOPPED"):
        texts = [text for _, text in month.notices if f"{outcome}\nWhy: by the hours of the settings" in text]
        assert len(texts) == WORKING_DAYS


def find_verdict(day: int) -> str:
    """That of the requests of the day before a check; on Saturdays and Sundays nothing is asked."""
    if day == SHIFTED_DAY:
        return "drifted"
    return "too few" if day % 7 in (5, 6) else "steady"


def test_reports_the_idle_endpoint_with_its_price_and_stops_it_once(month: Month) -> None:
    price = "83.95 dollars a month (1 x ml.m5.large, list price of us-east-1)"
    reports = [(day, text) for day, text in month.notices if "until it is deleted: " in text]
    stops = [each for each in month.list_executions("images-Training") if each["output"]["Outcome"] == "STOPPED"]
    notices = [(day, text) for day, text in month.notices if f"{stops[0]['name']} of" in text]

    assert reports == [(REPORTED_AFTER_DAYS - 1, reports[0][1])]
    assert f"Not called for {REPORTED_AFTER_DAYS} days, and it costs {price} until" in reports[0][1]
    assert f"until it is deleted: {PHOTOGRAPHS}" in reports[0][1]
    assert len(stops) == 1
    assert notices == [(STOPPED_AFTER_DAYS - 1, notices[0][1])]
    assert f"not called for {STOPPED_AFTER_DAYS} days, and it costs {price}. To start it again: " in notices[0][1]


def test_removes_what_expires(month: Month) -> None:
    end = month.begin + timedelta(days=DAYS)
    work, s3 = month.platform.deployment.outputs["WorkBucketName"], boto3.client("s3")
    captured = s3.list_objects_v2(Bucket=work, Prefix=CAPTURED_PREFIX)["Contents"]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=work)
    versions = [each for page in pages for each in page.get("Versions", []) if not each["IsLatest"]]
    served = s3.list_objects_v2(Bucket=work, Prefix="executions/")["Contents"]

    oldest = end - timedelta(days=KEPT_DAYS)
    assert min(each["LastModified"] for each in captured) > oldest
    assert len({each["LastModified"].date() for each in captured}) == sum(
        (oldest + timedelta(days=day)).weekday() < 5 for day in range(KEPT_DAYS)
    )
    # A version is kept for so long after the next one came.
    assert min(each["LastModified"] for each in versions) > oldest - timedelta(days=4)
    assert min(each["LastModified"] for each in served) < month.begin
    assert read_oldest_event() > oldest.timestamp() * 1000
    assert month.list_times("bucket ", "expired")


def read_oldest_event() -> float:
    """The time of the first event of the functions' logs, in milliseconds."""
    logs: Any = boto3.client("logs")
    groups = [each["logGroupName"] for each in logs.describe_log_groups(logGroupNamePrefix="headrace-dev")["logGroups"]]
    found = (logs.filter_log_events(logGroupName=group)["events"] for group in groups)
    return float(min(event["timestamp"] for events in found for event in events))


def test_bills_what_can_be_calculated_within_a_percent(month: Month) -> None:
    used, prices = month.count_uses(), {(line.price, line.thing): line for line in month.bill.lines}
    usd = sum((prices[key].usd or 0) * quantity / prices[key].quantity for key, quantity in used.items())
    hours = {thing: used["instance:ml.m5.large", f"Endpoint {thing}"] for thing in (SALES, PHOTOGRAPHS)}

    assert hours[SALES] == pytest.approx(count_open_hours(), rel=0.01)
    assert hours[PHOTOGRAPHS] == pytest.approx(count_idle_hours(), abs=1.1)
    assert sum(each for (price, _), each in used.items() if price == "alarm-month") == pytest.approx(
        ALARMS * MONTHS, rel=0.001
    )
    standing = (ALARMS * ALARM_MONTH + KEY_MONTH + DASHBOARD_MONTH) * MONTHS
    serving = (count_open_hours() + count_idle_hours()) * MACHINE_HOUR
    assert usd == pytest.approx(standing + serving, rel=0.01)


def test_bills_what_is_stored(month: Month) -> None:
    raw = month.platform.deployment.raw_bucket
    stored = sum(each["Size"] for each in boto3.client("s3").list_objects_v2(Bucket=raw)["Contents"])

    assert month.count_uses()["s3-gb-month", f"bucket {raw}"] == pytest.approx(stored / 2**30 * MONTHS, rel=0.01)


def test_bills_jobs_as_they_say_themselves(month: Month) -> None:
    sagemaker: Any = boto3.client("sagemaker")
    jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    described = [sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"]) for job in jobs]
    billed = {line.thing: line.quantity for line in month.bill.lines if line.price == "instance:ml.m5.xlarge"}

    for job in described:
        assert billed[f"TrainingJob {job['TrainingJobName']}"] == pytest.approx(job["BillableTimeInSeconds"] / 3600)


def test_shows_the_same_bill_to_programs_and_on_the_page(month: Month) -> None:
    folder = str(month.cloud.root.parent)
    answer = CliRunner().invoke(cli, ["local", "--folder", folder, "bill", "--json"])
    told = json.loads(answer.stdout)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(write_address(month.cloud.endpoint_url, month.cloud.key.secret)) as entered:
        address = f"{entered.url}bill"
    with browser.open(address) as answered:
        page = answered.read().decode()

    assert told["usd"] == pytest.approx(sum(line["usd"] for line in told["lines"]))
    assert told["usd"] == pytest.approx(month.bill.usd, rel=0.001)
    assert f"<dt>US dollars</dt><dd>{told['usd']:.2f}</dd>" in page
    assert f"Endpoint {SALES}" in page
