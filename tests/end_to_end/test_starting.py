"""Executions that start by themselves on a local cloud: new data in the raw bucket, and a schedule."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import boto3
import pytest

from headrace import contract
from headrace.pipeline.machines import find_machine
from headrace.recipes import big_mart, images
from tests.deploying import running_with_app
from tests.examples import only_exhaustive
from tests.local_clouds import clients_of
from tests.patience import wait_until
from tests.stacks.conftest import context_of, set_path
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow

BY_SCHEDULE = {"Comment": "started by the schedule"}
BY_NEW_DATA = {"Comment": "started by new data"}


def read_outputs(stack: str) -> dict[str, str]:
    formation: Any = boto3.client("cloudformation")
    (found,) = formation.describe_stacks(StackName=contract.stack_name("dev", stack))["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def list_inputs(machine: str) -> list[Any]:
    """The inputs of the executions of a state machine."""
    return [json.loads(found["input"]) for found in describe_executions(machine)]


def describe_executions(machine: str) -> list[Any]:
    """The executions of a state machine, the latest first."""
    states: Any = boto3.client("stepfunctions")
    arns = [found["executionArn"] for found in states.list_executions(stateMachineArn=machine)["executions"]]
    return [states.describe_execution(executionArn=arn) for arn in arns]


def list_scheduled(machine: str) -> list[Any]:
    """The executions that the schedule has started, the latest first."""
    return [found for found in describe_executions(machine) if json.loads(found["input"]) == BY_SCHEDULE]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The raw bucket of a cloud where new data starts executions, and a schedule that comes soon does."""
    context = context_of("starts")
    set_path(context["environments"]["dev"], "images.start.schedule", "rate(1 minute)")
    with (
        running_with_app(tmp_path_factory.mktemp("starts") / "cloud", assemble(context)) as cloud,
        clients_of(cloud),
    ):
        yield read_outputs("Storage")[contract.RAW_BUCKET_OUTPUT]


def test_starts_when_the_last_of_new_data_has_come_and_not_before(raw: str) -> None:
    s3: Any = boto3.client("s3")
    sales, photographs = find_machine("dev", big_mart.RECIPE), find_machine("dev", images.RECIPE)

    for key in ("bigmart/Train.csv", "elsewhere/_SUCCESS", "bigmart_SUCCESS", "images/photographs/a.jpg"):
        s3.put_object(Bucket=raw, Key=key, Body=b"")
    s3.put_object(Bucket=raw, Key="bigmart/2026-11/_SUCCESS", Body=b"")

    wait_until(lambda: list_inputs(sales))
    assert list_inputs(sales) == [BY_NEW_DATA]
    (started,) = boto3.client("stepfunctions").list_executions(stateMachineArn=f"{sales}:live")["executions"]
    assert started["stateMachineVersionArn"] == f"{sales}:1"
    assert BY_NEW_DATA not in list_inputs(photographs)


@only_exhaustive("a rule's shortest rate is a minute")
@pytest.mark.usefixtures("raw")
def test_starts_once_each_time_that_the_schedule_says() -> None:
    photographs, sales = find_machine("dev", images.RECIPE), find_machine("dev", big_mart.RECIPE)

    wait_until(lambda: list_scheduled(photographs))

    starts = [found["startDate"] for found in list_scheduled(photographs)]
    assert all(later - earlier > timedelta(seconds=30) for later, earlier in pairwise(starts))
    assert BY_SCHEDULE not in list_inputs(sales)
