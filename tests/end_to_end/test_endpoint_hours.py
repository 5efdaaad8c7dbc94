"""An endpoint keeps its hours, and one that is not called is stopped, while the clock of the local cloud moves on."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace.inventory.prices import usual_prices
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.bill import read_bill
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

SALES, IMAGES = "headrace-dev-bigmart", "headrace-dev-images"
HOURS = {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """`dev` with hours for the endpoint of sales, and a day without calls for that of images; both stand."""
    folder = tmp_path_factory.mktemp("hours")
    (folder / "program.py").write_text(PROGRAM)
    context = configure_dev(**{"endpoint.hours": HOURS})
    for path, value in (("alarms", {}), ("images.endpoint.idle_stop_days", 1)):
        set_path(context["environments"]["dev"], path, value)
    with running_with_app(folder / "cloud", assemble(context)) as started, clients_of(started):
        bring_python(started.root, IMAGE, Path(sys.executable), folder / "program.py")
        make_role("ml", allow("*"))
        move(started, find_noon(MovableClock(started).read()))
        for name in (SALES, IMAGES):
            create_endpoint(name)
            await_endpoint(name)
        subscribe_queue()
        yield started


def find_noon(now: datetime) -> datetime:
    """Noon of the next day, in UTC."""
    return datetime(now.year, now.month, now.day, 12, tzinfo=UTC) + timedelta(days=1)


def move(cloud: LocalCloud, until: datetime) -> None:
    list(MovableClock(cloud).move(until))


def list_endpoints() -> set[str]:
    return {each["EndpointName"] for each in boto3.client("sagemaker").list_endpoints()["Endpoints"]}


def ask() -> bytes | None:
    """What the endpoint of sales answers; nothing where there is none."""
    runtime: Any = boto3.client("sagemaker-runtime")
    try:
        answer = runtime.invoke_endpoint(EndpointName=SALES, ContentType="text/csv", Body=b"1")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return bytes(answer["Body"].read())


def count_hours(cloud: LocalCloud) -> float:
    """For how many hours the machine of the sales' endpoint is on the bill."""
    lines = read_bill(cloud, usual_prices()).lines
    return sum(line.quantity for line in lines if line.thing == f"Endpoint {SALES}")


@dataclass(frozen=True)
class Days:
    """What was seen from the noon of a day to the morning of the next but one.

    Args:
        standing: Which endpoints stood at eight o'clock, in the evening and in the morning.
        before: What the endpoint of sales answered at noon.
        answers: What it answered, or that there was none, whenever it was looked at.
        hours: For how many hours its machine was billed.
        notices: What was published to the topic.
    """

    standing: list[set[str]]
    before: bytes
    answers: list[bytes | None]
    hours: float
    notices: list[str]


@pytest.fixture(scope="module")
def days(cloud: LocalCloud) -> Days:
    noon = MovableClock(cloud).read()
    before, billed = ask(), count_hours(cloud)
    standing, answers = [], []
    for hours in (8, 20, 32, 44):
        move(cloud, noon + timedelta(hours=hours))
        standing.append(list_endpoints())
        answers.append(ask())
    return Days(standing, before or b"", answers, count_hours(cloud) - billed, receive())


def test_stands_in_its_hours_alone_and_answers_as_before(days: Days) -> None:
    assert [SALES in standing for standing in days.standing] == [False, True, False, True]
    assert days.answers == [None, days.before, None, days.before]
    # From noon to seven, a whole day of hours, and one hour.
    assert days.hours == pytest.approx(7 + 12 + 1, rel=0.01)


@pytest.mark.usefixtures("days")
def test_keeps_what_it_is_made_of() -> None:
    sagemaker: Any = boto3.client("sagemaker")

    assert {each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]} == {
        SALES,
        IMAGES,
    }
    assert {each["ModelName"] for each in sagemaker.list_models()["Models"]} == {SALES, IMAGES}


def test_stops_an_endpoint_that_is_not_called_and_says_why(days: Days) -> None:
    assert [IMAGES in standing for standing in days.standing] == [True, True, False, False]
    (notice,) = [text for text in days.notices if "not called for a day, and" in text]
    assert "STOPPED" in notice
    assert (
        "Why: it was not called for a day, and it costs 83.95 dollars a month (1 x ml.m5.large, list price of "
        "us-east-1). To start it again: headrace pipeline endpoint start --env dev --workload images" in notice
    )
