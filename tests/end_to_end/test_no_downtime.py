"""An endpoint that is called all the while: created, updated in every way, rolled back, and never out of answers."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.loopback import find_free_port
from tests.end_to_end.calling import Caller
from tests.examples import count_examples
from tests.local_clouds import allow, clients_of, make_role
from tests.patience import PATIENCE_SECONDS, SLOW_TEST_SECONDS, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SLOW_TEST_SECONDS)]

IMAGE: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/answering:1"
# It answers with the name of its model, or as the name says.
PROGRAM: Final = """
import http.server, os
answer = os.environ["ANSWER"]

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())
    def do_GET(self):
        self.reply(200)
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(500 if answer == "broken" else 200)
    def log_message(self, *_):
        pass

place = os.environ["HEADRACE_BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(place, Handler).serve_forever()
"""
MOST_CALLS_A_SECOND: Final = 50
LONG_SECONDS: Final = 3600
NO_TIME, LONGEST_ROLLBACK = timedelta(0), timedelta(seconds=30)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    root = tmp_path_factory.mktemp("cloud")
    program = root / "answering.py"
    program.write_text(PROGRAM)
    bring_python(root / "root", IMAGE, Path(sys.executable), program)
    started = local_cloud.start(root / "root", find_free_port(), stop_with_caller=True)
    with clients_of(started):
        make_role("ml", allow("*"))
        yield started
    started.stop()


@dataclass
class Fleet:
    """An endpoint of a name, and what a test does with it."""

    name: str
    sagemaker: Any = field(default_factory=lambda: boto3.client("sagemaker"))
    cloudwatch: Any = field(default_factory=lambda: boto3.client("cloudwatch"))

    def make_config(self, model: str) -> str:
        """A model that answers with its name, and its configuration; the name of both."""
        name = f"{self.name}-{model}"
        container = {"Image": IMAGE, "Environment": {"ANSWER": model}}
        role = f"arn:aws:iam::{ACCOUNT}:role/ml"
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large"}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
            MetricsConfig={"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10},
        )
        return name

    def create(self, model: str) -> None:
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=self.make_config(model))
        self.await_service(model)

    def update(self, model: str, traffic: dict[str, Any], alarms: tuple[str, ...] = ()) -> None:
        config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic}}
        if alarms:
            config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
        self.sagemaker.update_endpoint(
            EndpointName=self.name, EndpointConfigName=self.make_config(model), DeploymentConfig=config
        )

    def await_service(self, model: str) -> dict[str, Any]:
        """What describes the endpoint once it is in service, which must be with this model."""
        endpoint = self.await_description(lambda found: found["EndpointStatus"] in ("InService", "Failed"))
        assert endpoint["EndpointConfigName"] == f"{self.name}-{model}", endpoint.get("FailureReason")
        return endpoint

    def await_baking(self) -> None:
        def bakes(found: dict[str, Any]) -> bool:
            (variant,) = found.get("PendingDeploymentSummary", {}).get("ProductionVariants") or [{}]
            return [each["Status"] for each in variant.get("VariantStatus", ())] == ["Baking"]

        self.await_description(bakes)

    def await_description(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_wanted(found := self.sagemaker.describe_endpoint(EndpointName=self.name)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return dict(found)

    def watch(self, **alarm: Any) -> str:
        """An alarm that has come to rest; its name."""
        name = f"{self.name}-alarm"
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            **alarm,
        )
        wait_until(
            lambda: self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"] == "OK",
            f"the rest of {name}",
        )
        return name

    def watch_golden_requests(self) -> str:
        return self.watch(**self._golden, Statistic="Sum", Period=10)

    def fail_golden_request(self) -> None:
        golden = self._golden
        datum = {"MetricName": golden["MetricName"], "Dimensions": golden["Dimensions"], "Value": 1}
        self.cloudwatch.put_metric_data(Namespace=golden["Namespace"], MetricData=[datum])

    def measure_rollback(self, alarm: str, endpoint: dict[str, Any]) -> timedelta:
        """From when an alarm went off to when the earlier model had the endpoint again, by the cloud's own times."""
        history = self.cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="StateUpdate")
        went_off = min(
            item["Timestamp"] for item in history["AlarmHistoryItems"] if item["HistorySummary"].endswith("to ALARM")
        )
        return endpoint["LastModifiedTime"] - went_off  # type: ignore[no-any-return]

    @property
    def _golden(self) -> dict[str, Any]:
        dimensions = [{"Name": "EndpointName", "Value": self.name}]
        return {"Namespace": "Headrace", "MetricName": "GoldenRequestsFailed", "Dimensions": dimensions}


def routing(kind: str, wait: int, **size: int) -> dict[str, Any]:
    sizes = {name: {"Type": "CAPACITY_PERCENT", "Value": value} for name, value in size.items()}
    return {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}


UPDATES: Final = {
    "second": routing("ALL_AT_ONCE", 60),
    "third": routing("CANARY", 60, CanarySize=10),
    "fourth": routing("LINEAR", 30, LinearStepSize=25),
}


@pytest.mark.usefixtures("cloud")
def test_answers_every_call_through_updates_and_a_rollback() -> None:
    # Three thousand calls where everything is tried.
    fleet, calls = Fleet("busy"), count_examples(750) // 6
    alarm = fleet.watch_golden_requests()
    fleet.create("first")
    with Caller("busy", "first", most_calls=MOST_CALLS_A_SECOND) as caller:
        caller.await_calls(calls)
        serving = "first"
        for model, traffic in UPDATES.items():
            caller.expect(serving, model)
            fleet.update(model, traffic, (alarm,))
            fleet.await_service(model)
            caller.expect(model)
            caller.await_calls(calls)
            serving = model
        caller.expect(serving, "fifth")
        fleet.update("fifth", routing("CANARY", LONG_SECONDS, CanarySize=50), (alarm,))
        fleet.await_baking()
        caller.await_calls(calls, serving, "fifth")
        fleet.fail_golden_request()
        endpoint = fleet.await_service(serving)
        caller.expect(serving)
        caller.await_calls(calls)

    assert alarm in endpoint["FailureReason"]
    assert NO_TIME <= fleet.measure_rollback(alarm, endpoint) <= LONGEST_ROLLBACK
    assert caller.wrong == []
    assert len(caller.answers) >= 6 * calls


@pytest.mark.usefixtures("cloud")
def test_rolls_back_without_any_traffic_by_golden_requests_alone() -> None:
    fleet = Fleet("quiet")
    alarm = fleet.watch_golden_requests()
    fleet.create("first")
    fleet.update("second", routing("ALL_AT_ONCE", LONG_SECONDS), (alarm,))
    fleet.await_baking()

    fleet.fail_golden_request()

    endpoint = fleet.await_service("first")
    assert alarm in endpoint["FailureReason"]
    assert NO_TIME <= fleet.measure_rollback(alarm, endpoint) <= LONGEST_ROLLBACK


@pytest.mark.usefixtures("cloud")
def test_rolls_back_by_the_share_of_requests_that_the_new_model_does_not_answer() -> None:
    fleet = Fleet("broken")
    dimensions = [{"Name": "EndpointName", "Value": "broken"}, {"Name": "VariantName", "Value": "AllTraffic"}]
    metrics = {"errors": "Invocation5XXErrors", "requests": "Invocations"}
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions},
                "Period": 10,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name, metric in metrics.items()
    ]
    rate = {"Id": "rate", "Expression": "100 * FILL(errors, 0) / requests", "ReturnData": True}
    alarm = fleet.watch(Metrics=[*queries, rate])
    fleet.create("first")
    with Caller("broken", "first", most_calls=MOST_CALLS_A_SECOND) as caller:
        fleet.update("broken", routing("CANARY", LONG_SECONDS, CanarySize=20), (alarm,))
        endpoint = fleet.await_service("first")
        failed = [answer for answer in caller.answers if "ModelError" in answer]
        caller.await_calls(10)
        after = caller.answers[-10:]

    assert alarm in endpoint["FailureReason"]
    assert failed
    assert after == ["first"] * 10
