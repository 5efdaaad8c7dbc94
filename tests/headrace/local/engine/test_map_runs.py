"""Runs of distributed Map states in the local cloud: their files, what is answered about them, and their rights."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace.local.engine.cloud import LocalCloud
from tests.headrace.local.engine.test_access import execute
from tests.local_clouds import Statement, allow, running_with_object

pytestmark = pytest.mark.slow

STATE = {
    "Type": "Map",
    "Label": "Each",
    "Items": [1, 2, 3],
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Pass", "End": True}},
    },
    "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "raw", "Prefix": "out"}},
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_with_object(tmp_path_factory.mktemp("map-runs") / "cloud", "items.json", b"[]") as cloud:
        yield cloud


def test_writes_results_and_answers_what_its_executions_have_done(cloud: LocalCloud) -> None:
    assert cloud
    states: Any = boto3.client("stepfunctions")
    s3: Any = boto3.client("s3")

    ended = execute("maps", STATE, allow("states:StartExecution"), allow("s3:PutObject", on="arn:aws:s3:::raw/out/*"))

    output = json.loads(ended["output"])
    (listed,) = states.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]
    described = states.describe_map_run(mapRunArn=output["MapRunArn"])
    children = states.list_executions(mapRunArn=output["MapRunArn"])["executions"]
    assert listed["mapRunArn"] == output["MapRunArn"] == described["mapRunArn"]
    assert (described["status"], described["itemCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    assert described["itemCounts"]["resultsWritten"] == 3
    assert [child["status"] for child in children] == ["SUCCEEDED"] * 3
    child = states.describe_execution(executionArn=children[0]["executionArn"])
    assert child["mapRunArn"] == output["MapRunArn"]
    assert child["input"] == child["output"]
    events = states.get_execution_history(executionArn=child["executionArn"])["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    manifest = json.loads(s3.get_object(Bucket="raw", Key=output["ResultWriterDetails"]["Key"])["Body"].read())
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    results = json.loads(s3.get_object(Bucket="raw", Key=file["Key"])["Body"].read())
    assert [json.loads(result["Output"]) for result in results] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "statement", "error", "action"),
    [
        ("starts-none", allow("s3:PutObject"), "StepFunctions.AccessDenied", "states:StartExecution"),
        ("writes-none", allow("states:StartExecution"), "States.ResultWriterFailed", "s3:PutObject"),
    ],
)
def test_fails_what_the_role_of_its_state_machine_may_not_do(
    cloud: LocalCloud, name: str, statement: Statement, error: str, action: str
) -> None:
    assert cloud

    ended = execute(name, STATE, statement)

    assert ended["error"].startswith(error)
    assert f"is not authorized to perform: {action}" in ended["cause"]


def test_says_that_a_run_cannot_be_changed(cloud: LocalCloud) -> None:
    assert cloud
    states: Any = boto3.client("stepfunctions")
    ended = execute("changes", {**STATE, "ResultWriter": {"WriterConfig": {}}}, allow("states:StartExecution"))
    (run,) = states.list_map_runs(executionArn=ended["executionArn"])["mapRuns"]

    with pytest.raises(ClientError, match="UpdateMapRun is not served by the local cloud"):
        states.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=1)
