"""Checks for drift on a local cloud, day by day: steady, then drift, an alarm, and one retraining."""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace import contract
from headrace.contract import DriftAlarm
from headrace.local.platform.clock import MovableClock
from headrace.pipeline.machines import find_machine
from headrace.recipes import big_mart
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end.conftest import Platform, configure_dev
from tests.local_clouds import clients_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

ENDPOINT = contract.default_endpoint_name("dev", big_mart.RECIPE.name)
DRIFT = {"schedule": "cron(0 6 * * ? *)", "timezone": "UTC", "retrain": True}
ROWS = 500
ROWS_A_REQUEST = 50
PRICE = 5


@dataclass
class Days:
    """Days of a platform whose endpoint is checked each morning.

    Args:
        platform: The platform, with a model that serves.
        rows: The training data, cell by cell, without what is predicted.
    """

    platform: Platform
    rows: list[list[str]]

    @property
    def clock(self) -> MovableClock:
        return MovableClock(self.platform.cloud)

    def ask(self, *, dearer: float = 1) -> None:
        """Ask about rows of the training data, at other prices."""
        drawn = random.Random(1).sample(self.rows, ROWS)  # noqa: S311
        priced = [[*row[:PRICE], str(float(row[PRICE]) * dearer), *row[PRICE + 1 :]] for row in drawn]
        runtime: Any = boto3.client("sagemaker-runtime")
        for first in range(0, ROWS, ROWS_A_REQUEST):
            body = "\n".join(",".join(row) for row in priced[first : first + ROWS_A_REQUEST])
            runtime.invoke_endpoint(
                EndpointName=ENDPOINT, ContentType="text/csv", Body=body, InferenceId=f"{dearer}-{first}"
            )

    def pass_morning(self) -> dict[str, Any]:
        """Let the time pass until a check has ended, and everything that it starts; what it said."""
        before = {found["executionArn"] for found in self.list_checks()}
        now = self.clock.read()
        morning = datetime(now.year, now.month, now.day, 6, tzinfo=UTC)
        list(self.clock.move(morning + timedelta(days=now >= morning, minutes=30)))
        (ended,) = (found for found in self.list_checks() if found["executionArn"] not in before)
        states: Any = boto3.client("stepfunctions")
        described = states.describe_execution(executionArn=ended["executionArn"])
        assert described["status"] == "SUCCEEDED", described.get("cause")
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def list_checks(self) -> list[Any]:
        states: Any = boto3.client("stepfunctions")
        machines = states.list_state_machines()["stateMachines"]
        (machine,) = (each["stateMachineArn"] for each in machines if "DriftChecks" in each["name"])
        return list(states.list_executions(stateMachineArn=machine)["executions"])

    @contextmanager
    def without_schedule(self) -> Iterator[None]:
        """Switch the schedule off, as somebody might and forget."""
        scheduler: Any = boto3.client("scheduler")
        (name,) = (each["Name"] for each in scheduler.list_schedules()["Schedules"])
        found = scheduler.get_schedule(Name=name)
        keys = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
        same = {"Name": name, **{key: found[key] for key in keys}}
        scheduler.update_schedule(**same, State="DISABLED")
        try:
            yield
        finally:
            scheduler.update_schedule(**same, State="ENABLED")

    def list_retrainings(self) -> Mapping[str, str]:
        """The executions that drift has started, with how they have ended."""
        states: Any = boto3.client("stepfunctions")
        machine = find_machine("dev", big_mart.RECIPE)
        found = states.list_executions(stateMachineArn=machine)["executions"]
        return {each["name"]: each["status"] for each in found if each["name"].startswith("drift-")}

    def find_alarm(self, kind: DriftAlarm) -> str:
        name = contract.alarm_name("dev", big_mart.RECIPE.name, kind)
        (alarm,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateValue"])


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory, sales: Path) -> Iterator[Days]:
    context = configure_dev(endpoint={"capture": {}, "drift": DRIFT})
    with running_with_app(tmp_path_factory.mktemp("drift") / "cloud", assemble(context)) as cloud, clients_of(cloud):
        platform = Platform(cloud, push_container_images(cloud, "dev"))
        big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)
        execution = platform.run()
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
        yield Days(platform, [line.split(",")[:-1] for line in sales.read_text().splitlines()[1:]])


def test_raises_on_the_day_of_the_drift_and_not_before_and_retrains_once(days: Days) -> None:
    quiet = days.pass_morning()
    assert (quiet["Verdict"], quiet["Rows"], quiet["Report"]) == ("too few", 0, None)
    assert quiet["Reason"].startswith("no request was captured between ")

    days.ask()
    steady = days.pass_morning()
    assert (steady["Verdict"], steady["Rows"], steady["Retraining"]) == ("steady", ROWS, "")
    assert (days.find_alarm(DriftAlarm.DRIFT), days.find_alarm(DriftAlarm.MISSING)) == ("OK", "OK")
    assert days.list_retrainings() == {}

    days.ask(dearer=2)
    drifted = days.pass_morning()
    assert (drifted["Verdict"], drifted["Columns"], drifted["Rows"]) == ("drifted", ["Item_MRP"], ROWS)
    assert days.find_alarm(DriftAlarm.DRIFT) == "ALARM"
    (retraining,) = days.list_retrainings()
    assert drifted["Retraining"].endswith(f":{retraining}")
    assert days.list_retrainings()[retraining] == "SUCCEEDED"
    report = drifted["Report"].partition("/drift/")[2].removesuffix("report.html")
    assert days.platform.list_work(f"drift/{report}") == ["report.html", "report.json"]

    # The model that serves now is of the same data, and training it once more would change nothing.
    days.ask(dearer=2)
    again = days.pass_morning()
    assert again["Verdict"] == "drifted"
    assert again["Retraining"].startswith(f"not again: {retraining} was started when the version with these training")
    assert [*days.list_retrainings()] == [retraining]


def test_notices_that_checks_no_longer_come(days: Days) -> None:
    days.pass_morning()

    with days.without_schedule():
        list(days.clock.move(days.clock.read() + timedelta(hours=30)))

    assert days.find_alarm(DriftAlarm.MISSING) == "INSUFFICIENT_DATA"
