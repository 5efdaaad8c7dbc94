"""Alarms on MiniStack's CloudWatch: evaluated by the clock, told of on the event bus and on topics."""

import importlib
import inspect
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace.local.clock import Clock as CloudClock
from headrace.local.clock import to_machine_seconds
from headrace.local.engine.alarms.store import Metric
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.engine.ministack.alarms import Alarms
from tests.local_clouds import running_with_object
from tests.patience import PATIENCE_SECONDS

ENDPOINT = [{"Name": "EndpointName", "Value": "sales"}]
FAILED = {"Namespace": "Headrace", "MetricName": "GoldenRequestsFailed", "Dimensions": ENDPOINT}
ONE_FAILED = {"MetricName": "GoldenRequestsFailed", "Dimensions": ENDPOINT, "Value": 1}
ALARM: dict[str, Any] = {
    **FAILED,
    "AlarmName": "golden",
    "Statistic": "Sum",
    "Period": 10,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}
RECORD = {**ALARM, "AlarmArn": "arn", "StateValue": "INSUFFICIENT_DATA", "StateReason": "new"}


class FakeCloudWatch(SimpleNamespace):
    """MiniStack's CloudWatch as the evaluator uses it: it notes which changes it is told."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.told: list[tuple[str, str, str]] = []
        super().__init__(_alarms={record["AlarmName"]: dict(record) for record in records})

    def _record_history(self, name: str, old: str, new: str, reason: str) -> None:
        self.told.append((name, old, new))

    def _dispatch_alarm_actions(self, record: dict[str, Any], old: str, new: str, reason: str) -> None:
        assert (record["StateValue"], record["StateReason"]) == (new, reason)

    def _evaluate_parent_alarms(self, record: dict[str, Any]) -> None:
        """None of these has any."""


class Clock(CloudClock):
    """A cloud's, by hand; `pass_by` takes seconds of what waits."""

    def __init__(self) -> None:
        self.machine = 1_800_000_000.0
        super().__init__(lambda: self.machine)

    def pass_by(self, seconds: float) -> None:
        self.machine += to_machine_seconds(seconds)


def put(alarms: Alarms, value: float, endpoint: str = "sales") -> None:
    metric = Metric.of("Headrace", "GoldenRequestsFailed", {"EndpointName": endpoint})
    alarms.keep_datum(metric, stamped=None, data=[(value, 1)], unit="Count")


def test_follows_the_data_from_state_to_state() -> None:
    clock, cloudwatch = Clock(), FakeCloudWatch(RECORD)
    alarms = Alarms(cloudwatch, clock)

    alarms.tick()
    put(alarms, 1)
    for _ in range(6):
        clock.pass_by(10)
        alarms.tick()

    assert [(old, new) for _, old, new in cloudwatch.told] == [
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
        ("ALARM", "OK"),
    ]
    assert json.loads(cloudwatch._alarms["golden"]["StateReasonData"])["threshold"] == 0


def test_does_not_alarm_for_another_endpoint() -> None:
    clock, cloudwatch = Clock(), FakeCloudWatch({**RECORD, "StateValue": "OK"})
    alarms = Alarms(cloudwatch, clock)

    put(alarms, 1, endpoint="images")
    clock.pass_by(10)
    alarms.tick()

    assert cloudwatch.told == []


def test_evaluates_an_alarm_again_when_it_is_put_again() -> None:
    clock, cloudwatch = Clock(), FakeCloudWatch({**RECORD, "StateValue": "OK", "Threshold": 5})
    alarms = Alarms(cloudwatch, clock)
    put(alarms, 1)
    clock.pass_by(10)
    alarms.tick()

    cloudwatch._alarms["golden"] = {**RECORD, "StateValue": "OK"}
    alarms.tick()

    assert cloudwatch.told == [("golden", "OK", "ALARM")]


def test_evaluates_a_percentile_though_the_record_has_a_basic_statistic_as_well() -> None:
    clock, cloudwatch = Clock(), FakeCloudWatch({**RECORD, "ExtendedStatistic": "p99"})
    alarms = Alarms(cloudwatch, clock)
    put(alarms, 1)

    clock.pass_by(10)
    alarms.tick()

    assert cloudwatch.told == [("golden", "INSUFFICIENT_DATA", "ALARM")]


def test_leaves_an_alarm_for_a_minute_as_somebody_has_set_it() -> None:
    clock, cloudwatch = Clock(), FakeCloudWatch(RECORD)
    alarms = Alarms(cloudwatch, clock)
    alarms.hold("golden")
    cloudwatch._alarms["golden"]["StateValue"] = "ALARM"

    clock.pass_by(59)
    alarms.tick()
    before = list(cloudwatch.told)
    clock.pass_by(1)
    alarms.tick()

    assert (before, cloudwatch.told) == ([], [("golden", "ALARM", "OK")])


def test_evaluates_the_others_when_one_cannot_be(caplog: pytest.LogCaptureFixture) -> None:
    cloudwatch = FakeCloudWatch({**RECORD, "AlarmName": "broken", "Period": 7}, RECORD)

    Alarms(cloudwatch, Clock()).tick()

    assert cloudwatch.told == [("golden", "INSUFFICIENT_DATA", "OK")]
    assert "alarm_not_evaluated name=broken" in caplog.text


def test_replaces_functions_of_the_engine_that_are_there() -> None:
    cloudwatch: Any = importlib.import_module("ministack.services.cloudwatch")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    put_parameters = ["params", "cbor_data", "is_cbor", "is_json"]
    expected = {
        "_store_datum": ["namespace", "name", "dims", "ts", "unit", "value", "values", "counts", "stat_values"],
        "record_metric": ["namespace", "metric_name", "value", "unit", "dimensions"],
        "_evaluate_alarm": ["alarm"],
        "_evaluate_all_alarms": [],
        "_put_metric_alarm": put_parameters,
        "_set_alarm_state": put_parameters,
        "_dispatch_alarm_actions": ["alarm", "old_state", "new_state", "reason"],
        "_evaluate_parent_alarms": ["child", "seen"],
    }

    assert {name: list(inspect.signature(getattr(cloudwatch, name)).parameters) for name in expected} == expected
    assert list(inspect.signature(cloudwatch._record_history).parameters)[:4] == [
        "alarm_name",
        "old_state",
        "new_state",
        "reason",
    ]
    assert "alarm = _cw_metric_alarm_record(name, props)" in inspect.getsource(provisioners._cw_metric_alarm_put)
    assert '"PutMetricAlarm": _put_metric_alarm' in inspect.getsource(cloudwatch.handle_request)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_with_object(tmp_path_factory.mktemp("cloud"), "any", b"") as started:
        yield started


def await_state(cloudwatch: Any, name: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        if alarm["StateValue"] == state:
            return dict(alarm)
        time.sleep(0.02)
    raise AssertionError(f"{name} did not come to {state}")


def receive(sqs: Any, queue: str) -> dict[str, Any]:
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    body: dict[str, Any] = json.loads(message["Body"])
    return body


def make_queue(name: str) -> tuple[str, str]:
    """A queue that any service may send to: its address and its ARN."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return boto3.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"], arn


@pytest.mark.slow
@pytest.mark.usefixtures("cloud")
def test_tells_topics_and_the_event_bus_when_a_metric_sets_it_off() -> None:
    cloudwatch, events, sns, sqs = (boto3.client(name) for name in ("cloudwatch", "events", "sns", "sqs"))
    told, queue = make_queue("told")
    sent, inbox = make_queue("sent")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["golden"], "state": {"value": ["ALARM"]}}}
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": queue}])
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[topic])
    await_state(cloudwatch, "golden", "OK")

    cloudwatch.put_metric_data(Namespace="Headrace", MetricData=[ONE_FAILED])

    event = receive(sqs, told)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["alarmName"] == "golden"
    assert event["detail"]["previousState"] == {"value": "OK"}
    (metric,) = event["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"EndpointName": "sales"}
    assert json.loads(receive(sqs, sent)["Message"])["NewStateValue"] == "ALARM"
    await_state(cloudwatch, "golden", "OK")
    history = cloudwatch.describe_alarm_history(AlarmName="golden", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert "Alarm updated from ALARM to OK" in {item["HistorySummary"] for item in history}


@pytest.mark.slow
@pytest.mark.usefixtures("cloud")
def test_evaluates_an_expression_that_a_template_has() -> None:
    cloudwatch, formation = boto3.client("cloudwatch"), boto3.client("cloudformation")
    # What another test puts must not set this alarm off, nor this one another's.
    name = {"MetricName": "FailedByTemplate"}
    failed = {"Metric": FAILED | name, "Period": 10, "Stat": "Sum"}
    properties = {name: ALARM[name] for name in ("EvaluationPeriods", "Threshold", "ComparisonOperator")} | {
        "AlarmName": "rate",
        "Metrics": [
            {"Id": "failed", "MetricStat": failed, "ReturnData": False},
            {"Id": "rate", "Expression": "FILL(failed, 0) / 2", "ReturnData": True},
        ],
    }
    resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    formation.create_stack(StackName="rate", TemplateBody=json.dumps({"Resources": {"Rate": resource}}))
    formation.get_waiter("stack_create_complete").wait(StackName="rate", WaiterConfig={"Delay": 0})

    await_state(cloudwatch, "rate", "OK")
    cloudwatch.put_metric_data(Namespace="Headrace", MetricData=[ONE_FAILED | name])

    alarm = await_state(cloudwatch, "rate", "ALARM")
    assert [query["Id"] for query in alarm["Metrics"]] == ["failed", "rate"]
    assert "MetricName" not in alarm


@pytest.mark.slow
@pytest.mark.usefixtures("cloud")
def test_refuses_an_expression_that_it_cannot_evaluate() -> None:
    metrics = [{"Id": "any", "Expression": "SEARCH('{AWS/SageMaker}', 'Sum', 60)", "ReturnData": True}]
    given = {name: value for name, value in ALARM.items() if name not in {*FAILED, "Statistic", "Period"}}

    with pytest.raises(ClientError, match="does not evaluate the expression") as refused:
        boto3.client("cloudwatch").put_metric_alarm(**given, Metrics=metrics)

    assert refused.value.response["Error"]["Code"] == "ValidationError"
