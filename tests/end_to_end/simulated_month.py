"""Days of `dev` that its own settings drive: hours, checks for drift, trainings, an idle endpoint, what expires."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3

from headrace import contract
from headrace.contract import EndpointAction
from headrace.inventory.prices import usual_prices
from headrace.local.bill import Bill
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.container_images import ProcessContainerImages
from headrace.local.platform.bill import read_bill
from headrace.local.platform.clock import MovableClock
from headrace.local.platform.running import Folders
from headrace.loopback import find_free_port
from headrace.recipes import ContainerImage, big_mart, images
from headrace.workloads import big_mart as big_mart_workload
from tests.deploying import deploy, push_container_images
from tests.end_to_end.conftest import Platform, configure_dev
from tests.end_to_end.stand_in_endpoints import receive, subscribe_queue
from tests.end_to_end.tiny_programs import TinyContainerImages
from tests.local_clouds import clients_of
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

SALES: Final = contract.default_endpoint_name("dev", big_mart.RECIPE.name)
PHOTOGRAPHS: Final = contract.default_endpoint_name("dev", images.RECIPE.name)
ZONE: Final = "Europe/Berlin"
OPENS_AT, CHECKED_AT, CLOSES_AT = 7, 17, 19
REPORTED_AFTER_DAYS, STOPPED_AFTER_DAYS = 2, 4
KEPT_DAYS: Final = 5
KEPT_VERSIONS: Final = 2
# A Thursday; the check of that day finds it.
SHIFTED_DAY: Final = 3
_HEAD_START: Final = timedelta(hours=2)
_NOON: Final = timedelta(hours=10)
_ROWS: Final = 500
_PRICE: Final = 5
_DEARER: Final = 2
_SETTINGS: Final[Mapping[str, Any]] = {
    "alarms": {
        "endpoints": {"idle_days": REPORTED_AFTER_DAYS},
        "failures": True,
        "budget": {"monthly_usd": 200},
        "dashboard": True,
    },
    "bigmart.start.schedule": "cron(0 12 ? * WED *)",
    "bigmart.endpoint": {
        "capture": {"days": KEPT_DAYS},
        "drift": {"schedule": f"cron(0 {CHECKED_AT} * * ? *)", "timezone": ZONE, "retrain": True},
        "hours": {
            "start": f"cron(0 {OPENS_AT} ? * MON-FRI *)",
            "stop": f"cron(0 {CLOSES_AT} ? * MON-FRI *)",
            "timezone": ZONE,
        },
        "keep_versions": KEPT_VERSIONS,
    },
    "images.endpoint.idle_stop_days": STOPPED_AFTER_DAYS,
    "pipeline.log_retention_days": KEPT_DAYS,
    "storage.noncurrent_version_days": KEPT_DAYS,
}
_PHOTOGRAPHS: Final = {
    "images/lists/train/train.lst": "1\t0\ta.jpg\n",
    "images/lists/validation/validation.lst": "1\t0\ta.jpg\n",
    "images/photographs/a.jpg": "1",
}


class MonthlyPrograms(TinyContainerImages):
    """Tiny programs, but for the container image that reads sales and checks requests against them: it is real."""

    def prepare(self, containers: Iterable[ContainerImage]) -> None:
        """Write the program, and install the packages of the real one."""
        super().prepare(containers)
        ProcessContainerImages(Folders().environments).prepare([big_mart.PREPROCESSING])

    def push(self, root: Path, images: Mapping[str, ContainerImage]) -> None:
        """Make them known under their URIs."""
        super().push(root, images)
        real = {uri: image for uri, image in images.items() if image == big_mart.PREPROCESSING}
        ProcessContainerImages(Folders().environments).push(root, real)


@dataclass
class Month:
    """What the platform did in the simulated days.

    Args:
        cloud: Where it is deployed.
        platform: The platform.
        begin: When the days begin, a Monday at midnight UTC.
        before: What was on the bill until then, by price and thing.
        fired: What happened.
        notices: What the topic of alarms was told, and on which day.
    """

    cloud: LocalCloud
    platform: Platform
    begin: datetime
    before: Mapping[tuple[str, str], float]
    fired: list[dict[str, str]] = field(default_factory=list)
    notices: list[tuple[int, str]] = field(default_factory=list)

    @property
    def bill(self) -> Bill:
        """That of the cloud, with what it was used for before."""
        return read_bill(self.cloud, usual_prices())

    def count_uses(self) -> dict[tuple[str, str], float]:
        """How much was used in these days, by price and thing."""
        return {key: quantity - self.before.get(key, 0) for key, quantity in read_uses(self.cloud).items()}

    def list_times(self, what: str, outcome: str = "") -> list[datetime]:
        """When something happened."""
        found = (each for each in self.fired if what in each["what"] and outcome in each["outcome"])
        return [datetime.fromisoformat(each["time"]) for each in found]

    def list_executions(self, machine: str) -> list[dict[str, Any]]:
        """The executions in these days of the machine of a name, the first ones first, with input and output."""
        states: Any = boto3.client("stepfunctions")
        (arn,) = (
            each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"] if machine in each["name"]
        )
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=arn)
        found = [each for page in pages for each in page["executions"] if each["startDate"] >= self.begin]
        described = [states.describe_execution(executionArn=each["executionArn"]) for each in reversed(found)]
        return [
            {**each, **{key: json.loads(each.get(key) or "{}") for key in ("input", "output")}} for each in described
        ]

    def move(self, until: datetime) -> None:
        """Let time pass."""
        self.fired += [each for step in MovableClock(self.cloud).move(until) for each in step["fired"]]

    def pass_day(self, day: int, rows: list[list[str]]) -> None:
        """A day on which the endpoint is asked while it stands, and other things than ever on one of them."""
        midnight = self.begin + timedelta(days=day)
        if midnight.weekday() < 5:
            self.move(midnight + _NOON)
            _ask(rows, day)
        self.move(midnight + timedelta(days=1))
        self.notices += [(day, notice) for notice in receive()]


@contextmanager
def simulate(root: Path, sales: Path, days: int) -> Iterator[Month]:
    """So many days; `clients_of` leads to their cloud."""
    context = configure_dev()
    for path, value in _SETTINGS.items():
        set_path(context["environments"]["dev"], path, value)
    cloud = local_cloud.start(root / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(cloud):
            clock = MovableClock(cloud)
            begin = _find_monday(clock.read() + _HEAD_START)
            # Nothing is deployed yet that could happen until then.
            list(clock.move(begin - _HEAD_START))
            deploy(assemble(context))
            platform = Platform(cloud, push_container_images(cloud, "dev", MonthlyPrograms(root / "programs")))
            subscribe_queue()
            _serve_first(platform, sales)
            list(clock.move(begin))
            month = Month(cloud, platform, begin, read_uses(cloud))
            rows = [line.split(",")[:-1] for line in sales.read_text().splitlines()[1:]]
            for day in range(days):
                month.pass_day(day, rows)
            yield month
    finally:
        cloud.stop()


def read_uses(cloud: LocalCloud) -> dict[tuple[str, str], float]:
    """How much was used of a cloud, by price and thing."""
    return {(line.price, line.thing): line.quantity for line in read_bill(cloud, usual_prices()).lines}


def _find_monday(now: datetime) -> datetime:
    """The midnight of the next Monday, in UTC."""
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return midnight + timedelta(days=7 - now.weekday())


def _serve_first(platform: Platform, sales: Path) -> None:
    """Train both models; the endpoint of sales is stopped then, as at the end of each day."""
    big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)
    for key, body in _PHOTOGRAPHS.items():
        boto3.client("s3").put_object(Bucket=platform.deployment.raw_bucket, Key=key, Body=body.encode())
    stop = {contract.ENDPOINT_ACTION_INPUT: EndpointAction.STOP}
    states: Any = boto3.client("stepfunctions")
    for recipe, given in ((big_mart.RECIPE, {}), (images.RECIPE, {}), (big_mart.RECIPE, stop)):
        machine = platform.deployment.outputs[recipe.state_machine_output]
        started = states.start_execution(stateMachineArn=machine, input=json.dumps(given))
        ended = platform.wait(started["executionArn"])
        assert ended["status"] == "SUCCEEDED", ended.get("cause")


def _ask(rows: list[list[str]], day: int) -> None:
    """Ask about rows of the training data, and on one day at other prices."""
    dearer = _DEARER if day == SHIFTED_DAY else 1
    drawn = random.Random(day).sample(rows, _ROWS)  # noqa: S311
    priced = ([*row[:_PRICE], str(float(row[_PRICE]) * dearer), *row[_PRICE + 1 :]] for row in drawn)
    runtime: Any = boto3.client("sagemaker-runtime")
    body = "\n".join(",".join(row) for row in priced)
    runtime.invoke_endpoint(EndpointName=SALES, ContentType="text/csv", Body=body)
