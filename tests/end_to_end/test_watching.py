"""What the topic of an environment is notified of: an idle endpoint with its price, and failures."""

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.clock import MovableClock
from tests.deploying import running_with_app
from tests.end_to_end.conftest import configure_dev
from tests.end_to_end.stand_in_endpoints import (
    IMAGE,
    PROGRAM,
    await_endpoint,
    create_endpoint,
    receive,
    subscribe_queue,
)
from tests.local_clouds import allow, clients_of, make_role
from tests.stacks.conftest import set_path
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

ENDPOINT = "headrace-dev-bigmart"
BROKEN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/broken:1"
ALARMS = {"endpoints": {"idle_days": 2, "error_percent": 10.0}, "failures": True}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """`dev` with alarms, an endpoint of sales, and a queue that is subscribed to the topic."""
    folder = tmp_path_factory.mktemp("watching")
    (folder / "program.py").write_text(PROGRAM)
    context = configure_dev()
    set_path(context["environments"]["dev"], "alarms", ALARMS)
    with running_with_app(folder / "cloud", assemble(context)) as started, clients_of(started):
        bring_python(started.root, IMAGE, Path(sys.executable), folder / "program.py")
        (folder / "broken.py").write_text("raise SystemExit(1)")
        bring_python(started.root, BROKEN, Path(sys.executable), folder / "broken.py")
        make_role("ml", allow("*"))
        create_endpoint(ENDPOINT, IMAGE)
        await_endpoint(ENDPOINT)
        subscribe_queue()
        yield started


def move(cloud: LocalCloud, by: timedelta) -> list[tuple[str, str]]:
    """The alarms that have changed meanwhile, and how."""
    clock = MovableClock(cloud)
    fired = [each for step in clock.move(clock.read() + by) for each in step["fired"]]
    return [(each["what"], each["outcome"]) for each in fired if each["what"].startswith(f"alarm {ENDPOINT}")]


def read_descriptions() -> list[str]:
    """What the alarms say that were published to the topic and not received yet."""
    return [json.loads(message)["AlarmDescription"] for message in receive()]


def ask(body: bytes) -> None:
    boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=ENDPOINT, Body=body, ContentType="text/csv")


def test_reports_requests_that_fail_and_then_an_endpoint_that_is_not_called(cloud: LocalCloud) -> None:
    ask(b"1")
    with pytest.raises(ClientError):
        ask(b"crash")
    failed = move(cloud, timedelta(minutes=20))
    failures = read_descriptions()
    quiet = move(cloud, timedelta(days=1))
    idle = move(cloud, timedelta(days=2))
    reports = read_descriptions()
    ask(b"1")
    called = move(cloud, timedelta(hours=2))

    assert (f"alarm {ENDPOINT}-errors", "OK → ALARM") in failed
    assert failures[-1].startswith("More than 10 % of the requests")
    assert quiet == []
    assert idle == [(f"alarm {ENDPOINT}-idle", "OK → ALARM")]
    (report,) = reports
    assert report == (
        "Not called for 2 days, and it costs 83.95 dollars a month (1 x ml.m5.large, list price of us-east-1) until it "
        f"is deleted: {ENDPOINT}"
    )
    assert called == [(f"alarm {ENDPOINT}-idle", "ALARM → OK")]


def test_reports_an_endpoint_that_fails(cloud: LocalCloud) -> None:
    create_endpoint("headrace-dev-images", BROKEN)

    sagemaker: Any = boto3.client("sagemaker")
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="headrace-dev-images", WaiterConfig={"Delay": 0})
    move(cloud, timedelta(minutes=1))

    assert receive() == ['"headrace-dev: the endpoint headrace-dev-images has the status FAILED"']
