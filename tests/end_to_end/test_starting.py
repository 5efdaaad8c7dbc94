"""Executions that start by themselves on a local cloud: new data in the raw bucket."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace import contract
from headrace.pipeline.machines import find_machine
from headrace.recipes import big_mart, images
from tests.deploying import running_with_app
from tests.local_clouds import clients_of
from tests.patience import PATIENCE_SECONDS
from tests.stacks.conftest import context_of
from tests.stacks.synthesis import assemble

pytestmark = pytest.mark.slow


def read_outputs(stack: str) -> dict[str, str]:
    formation: Any = boto3.client("cloudformation")
    (found,) = formation.describe_stacks(StackName=contract.stack_name("dev", stack))["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def list_inputs(machine: str) -> list[Any]:
    """The inputs of the executions of a state machine."""
    states: Any = boto3.client("stepfunctions")
    arns = [found["executionArn"] for found in states.list_executions(stateMachineArn=machine)["executions"]]
    return [json.loads(states.describe_execution(executionArn=arn)["input"]) for arn in arns]


def test_starts_when_the_last_of_new_data_has_come_and_not_before(tmp_path: Path) -> None:
    with running_with_app(tmp_path / "cloud", assemble(context_of("starts"))) as cloud, clients_of(cloud):
        s3: Any = boto3.client("s3")
        raw = read_outputs("Storage")[contract.RAW_BUCKET_OUTPUT]
        sales, photographs = find_machine("dev", big_mart.RECIPE), find_machine("dev", images.RECIPE)

        for key in ("bigmart/Train.csv", "elsewhere/_SUCCESS", "bigmart_SUCCESS", "images/photographs/a.jpg"):
            s3.put_object(Bucket=raw, Key=key, Body=b"")
        s3.put_object(Bucket=raw, Key="bigmart/2026-11/_SUCCESS", Body=b"")

        deadline = time.monotonic() + PATIENCE_SECONDS
        while not list_inputs(sales):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert list_inputs(sales) == [{"Comment": "started by new data"}]
        assert list_inputs(photographs) == []
        (started,) = boto3.client("stepfunctions").list_executions(stateMachineArn=f"{sales}:live")["executions"]
        assert started["stateMachineVersionArn"] == f"{sales}:1"
