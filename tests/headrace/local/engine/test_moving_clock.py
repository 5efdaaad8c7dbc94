"""The clock of a local cloud, moved on by its owner: schedules, waits, alarms and what expires."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.clock import MovableClock
from headrace.local.platform.running import Folders
from headrace.loopback import find_free_port
from tests.local_clouds import allow, clients_of, make_role

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folders = Folders(tmp_path_factory.mktemp("folders"))
    started = local_cloud.start(folders.cloud, find_free_port(), stop_with_caller=True)
    with clients_of(started):
        make_role("machines", allow("*"), trusted="states.amazonaws.com")
        yield started
    started.stop()


@pytest.fixture
def clock(cloud: LocalCloud) -> MovableClock:
    return MovableClock(cloud)


def move(clock: MovableClock, by: timedelta) -> list[dict[str, str]]:
    """What fired on the way."""
    return [fired for step in clock.move(clock.read() + by) for fired in step["fired"]]


def command(cloud: LocalCloud, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["local", "--folder", str(cloud.root.parent), "clock", *arguments])


def make_machine(name: str, of_machine: dict[str, Any] | None = None, **state: Any) -> str:
    """A state machine of one state; its ARN."""
    states: Any = boto3.client("stepfunctions")
    definition = {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": {**state, "End": True}}}
    made = states.create_state_machine(
        name=name,
        definition=json.dumps({**definition, **(of_machine or {})}),
        roleArn="arn:aws:iam::000000000000:role/machines",
    )
    return str(made["stateMachineArn"])


def start(machine: str, **options: Any) -> str:
    states: Any = boto3.client("stepfunctions")
    return str(states.start_execution(stateMachineArn=machine, **options)["executionArn"])


def describe(execution: str) -> dict[str, Any]:
    states: Any = boto3.client("stepfunctions")
    found: dict[str, Any] = states.describe_execution(executionArn=execution)
    return found


def test_shows_and_moves_the_time_that_everything_is_told(cloud: LocalCloud, clock: MovableClock) -> None:
    before = clock.read()

    result = command(cloud, "+90m", "--json")

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert datetime.fromisoformat(told["to"]) >= before + timedelta(minutes=90)
    assert json.loads(command(cloud, "--json").stdout)["time"] >= told["to"]
    boto3.client("s3").create_bucket(Bucket="stamped")
    boto3.client("s3").put_object(Bucket="stamped", Key="k", Body=b"")
    stamped = boto3.client("s3").head_object(Bucket="stamped", Key="k")["LastModified"]
    assert stamped >= before + timedelta(minutes=89)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["to", "2020-01-01T00:00Z"], "cannot go back"),
        (["+1y"], "expected a span"),
        (["to", "2099-01-01T00:00"], "offset from UTC"),
        (["to"], "expected a span"),
        (["at", "2099-01-01T00:00Z"], "give a span"),
    ],
)
def test_refuses_what_is_no_way_on(cloud: LocalCloud, where: list[str], message: str) -> None:
    result = command(cloud, *where)

    assert result.exit_code in (1, 2)
    assert message in result.output


def test_goes_on_with_a_wait_of_days_when_it_is_over_and_not_before(clock: MovableClock) -> None:
    execution = start(make_machine("waits", Type="Wait", Seconds=3 * 86_400))

    assert not move(clock, 2 * DAY)
    assert describe(execution)["status"] == "RUNNING"
    (ended,) = move(clock, 2 * DAY)

    assert ended["outcome"] == "SUCCEEDED"
    took = describe(execution)["stopDate"] - describe(execution)["startDate"]
    assert timedelta(days=2.8) < took < timedelta(days=3.2)


def test_ends_an_execution_whose_time_is_over(clock: MovableClock) -> None:
    execution = start(make_machine("limited", of_machine={"TimeoutSeconds": 3600}, Type="Wait", Seconds=86_400))

    (ended,) = move(clock, timedelta(hours=2))

    assert ended["outcome"] == "TIMED_OUT: States.Timeout"
    assert describe(execution)["status"] == "TIMED_OUT"


def test_fires_a_rule_as_often_as_its_schedule_says(clock: MovableClock) -> None:
    machine, events = make_machine("daily", Type="Pass"), boto3.client("events")
    role = make_role("rules", allow("states:StartExecution"), trusted="events.amazonaws.com")
    events.put_rule(Name="daily", ScheduleExpression="cron(0 3 * * ? *)")
    events.put_targets(Rule="daily", Targets=[{"Id": "t", "Arn": machine, "RoleArn": role}])

    fired = move(clock, 7 * DAY)
    events.remove_targets(Rule="daily", Ids=["t"])
    events.delete_rule(Name="daily")

    starts = [each["time"] for each in fired if each["what"] == "schedule daily"]
    ends = [each["outcome"] for each in fired if "execution" in each["what"]]
    assert len(starts) == 7
    assert all(start[11:16] == "03:00" for start in starts)
    assert ends == ["SUCCEEDED"] * 7


def test_fires_a_schedule_in_its_time_zone(clock: MovableClock) -> None:
    machine, scheduler = make_machine("local", Type="Pass"), boto3.client("scheduler")
    role = make_role("schedules", allow("states:StartExecution"), trusted="scheduler.amazonaws.com")
    scheduler.create_schedule(
        Name="noon",
        ScheduleExpression="cron(0 12 * * ? *)",
        ScheduleExpressionTimezone="Asia/Kolkata",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": machine, "RoleArn": role, "Input": '{"due": "<aws.scheduler.scheduled-time>"}'},
    )

    fired = move(clock, 2 * DAY)
    scheduler.delete_schedule(Name="noon")

    assert [each["time"][11:16] for each in fired if "noon" in each["what"]] == ["06:30"] * 2
    states: Any = boto3.client("stepfunctions")
    started = states.list_executions(stateMachineArn=machine)["executions"]
    inputs = [json.loads(states.describe_execution(executionArn=each["executionArn"])["input"]) for each in started]
    assert [given["due"][10:] for given in inputs] == ["T06:30:00Z"] * 2
    assert [each["outcome"] for each in fired if "execution" in each["what"]] == ["SUCCEEDED"] * 2


@pytest.mark.parametrize(
    ("allowed", "state"), [("cloudwatch:SetAlarmState", "OK"), ("cloudwatch:PutMetricData", "INSUFFICIENT_DATA")]
)
def test_has_a_schedule_set_the_state_of_an_alarm_as_its_role_may(
    clock: MovableClock, allowed: str, state: str
) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    scheduler = boto3.client("scheduler")
    cloudwatch.put_metric_alarm(
        AlarmName="silent",
        Namespace="Test",
        MetricName="None",
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    scheduler.create_schedule(
        Name="again",
        ScheduleExpression="cron(0 12 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:cloudwatch:setAlarmState",
            "RoleArn": make_role(f"setting-{state}", allow(allowed), trusted="scheduler.amazonaws.com"),
            "Input": '{"AlarmName": "silent", "StateValue": "OK", "StateReason": "looked at anew"}',
        },
    )

    move(clock, DAY)
    scheduler.delete_schedule(Name="again")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["silent"])["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=["silent"])

    assert alarm["StateValue"] == state


def test_raises_and_clears_an_alarm_at_the_end_of_its_period(clock: MovableClock) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="hourly",
        Namespace="Test",
        MetricName="Bad",
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    move(clock, timedelta(minutes=2))
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{"MetricName": "Bad", "Value": 1}])

    changes = [each["outcome"] for each in move(clock, DAY)]

    assert changes == ["OK → ALARM", "ALARM → OK"]


def test_removes_log_events_and_objects_on_the_day_they_expire(clock: MovableClock) -> None:
    logs, s3 = boto3.client("logs"), boto3.client("s3")
    logs.create_log_group(logGroupName="short")
    logs.put_retention_policy(logGroupName="short", retentionInDays=3)
    logs.create_log_stream(logGroupName="short", logStreamName="s")
    stamp = int(clock.read().timestamp() * 1000)
    logs.put_log_events(
        logGroupName="short", logStreamName="s", logEvents=[{"timestamp": stamp, "message": "gone soon"}]
    )
    s3.create_bucket(Bucket="cache")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle_configuration(Bucket="cache", LifecycleConfiguration={"Rules": [rule]})
    for key in ("tmp/a", "kept"):
        s3.put_object(Bucket="cache", Key=key, Body=b"1")

    assert not move(clock, 2 * DAY)
    fired = move(clock, 2 * DAY)

    assert {each["what"] for each in fired} == {"log group short", "bucket cache"}
    assert not logs.get_log_events(logGroupName="short", logStreamName="s")["events"]
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="cache")["Contents"]] == ["kept"]


def test_keeps_signatures_on_the_clock_of_this_machine(clock: MovableClock) -> None:
    sts: Any = boto3.client("sts")
    given = sts.assume_role(RoleArn=make_role("assumed", allow("s3:*")), RoleSessionName="one")["Credentials"]
    session = boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )

    move(clock, 40 * DAY)

    assert "Buckets" in session.client("s3").list_buckets()
