"""Faults of a running cloud, seen by its clients, by the tasks of its state machines and by its command."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import CloudError, LocalCloud
from headrace.local.engine.credentials import AccessKey
from headrace.local.platform.faults import CloudFaults
from headrace.local.platform.running import Folders
from headrace.loopback import find_free_port
from tests.local_clouds import allow, clients_of, make_role
from tests.patience import wait_until

pytestmark = pytest.mark.slow

ONCE = Config(retries={"total_max_attempts": 1})
FOLDERS = "folders"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folders = Folders(tmp_path_factory.mktemp(FOLDERS))
    started = local_cloud.start(folders.cloud, find_free_port(), stop_with_caller=True)
    with clients_of(started):
        boto3.client("s3").create_bucket(Bucket="raw")
        make_role("machines", allow("*"), trusted="states.amazonaws.com")
        yield started
    started.stop()


@pytest.fixture
def faults(cloud: LocalCloud) -> Iterator[CloudFaults]:
    found = CloudFaults(cloud)
    yield found
    found.clear()


def command(cloud: LocalCloud, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["local", "--folder", str(cloud.root.parent), "faults", *arguments])


def run_task(resource: str, **arguments: Any) -> dict[str, Any]:
    """An execution of one task, once it has ended."""
    states: Any = boto3.client("stepfunctions")
    task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": task}}
    machine = states.create_state_machine(
        name=f"m{time.monotonic_ns()}",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/machines",
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", f"the end of {arn}")
    return dict(states.describe_execution(executionArn=arn))


def test_lets_a_client_meet_a_fault_once(cloud: LocalCloud, faults: CloudFaults) -> None:
    faults.add("throttle", "s3:PutObject", resource="a*")
    s3: Any = boto3.client("s3", config=ONCE)

    s3.put_object(Bucket="raw", Key="b", Body=b"1")
    with pytest.raises(ClientError, match="SlowDown"):
        s3.put_object(Bucket="raw", Key="a", Body=b"1")
    s3.put_object(Bucket="raw", Key="a", Body=b"1")


def test_lets_a_call_take_effect_and_loses_its_answer(cloud: LocalCloud, faults: CloudFaults) -> None:
    faults.add("lost", "s3:PutObject")
    s3: Any = boto3.client("s3", config=ONCE)

    with pytest.raises(ClientError, match="InternalError"):
        s3.put_object(Bucket="raw", Key="lost", Body=b"1")

    assert s3.get_object(Bucket="raw", Key="lost")["Body"].read() == b"1"


Task = tuple[str, str, dict[str, Any]]
LIST_OBJECTS: Task = ("s3:ListObjectsV2", "arn:aws:states:::aws-sdk:s3:listObjectsV2", {"Bucket": "raw"})
LIST_MODELS: Task = ("sagemaker:ListModels", "arn:aws:states:::aws-sdk:sagemaker:listModels", {})


@pytest.mark.parametrize(
    ("fault", "error"), [("unreached", "{}.SdkClientException"), ("timeout", "States.Timeout")], ids=str
)
@pytest.mark.parametrize(("service", "task"), [("S3", LIST_OBJECTS), ("SageMaker", LIST_MODELS)], ids=str)
def test_lets_a_task_get_no_answer(
    cloud: LocalCloud, faults: CloudFaults, fault: str, error: str, service: str, task: Task
) -> None:
    operation, resource, arguments = task
    faults.add(fault, operation, state="Another")
    faults.add(fault, operation, state="Task")

    met = run_task(resource, **arguments)

    assert met["error"] == error.format(service)
    assert [one["left"] for one in faults.list()] == [1, 0]


@pytest.mark.parametrize(
    ("operation", "resource", "arguments", "error"),
    [
        (
            "s3:ListObjectsV2",
            "arn:aws:states:::aws-sdk:s3:listObjectsV2",
            {"Bucket": "raw"},
            "S3.S3Exception",
        ),
        (
            "sagemaker:ListModels",
            "arn:aws:states:::aws-sdk:sagemaker:listModels",
            {},
            "SageMaker.SageMakerException",
        ),
        (
            "sns:Publish",
            "arn:aws:states:::sns:publish",
            {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": "m"},
            "SNS.ThrottlingException",
        ),
    ],
)
def test_lets_a_task_meet_a_fault(
    cloud: LocalCloud, faults: CloudFaults, operation: str, resource: str, arguments: dict[str, Any], error: str
) -> None:
    faults.add("throttle", operation)

    met = run_task(resource, **arguments)

    assert (met["status"], met["error"]) == ("FAILED", error)
    assert [fault["left"] for fault in faults.list()] == [0]


def test_goes_by_the_command(cloud: LocalCloud, faults: CloudFaults) -> None:
    none = command(cloud, "list")
    added = command(cloud, "add", "denied", "--operation", "s3:PutObject", "--times", "3", "--resource", "x*")
    listed = command(cloud, "list", "--json")
    cleared = command(cloud, "clear")

    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no faults\n")
    assert added.exit_code == 0
    assert added.stdout.splitlines()[-1].split() == ["denied", "s3:PutObject", "x*", "*", "0", "3/3"]
    assert [(one["preset"], one["left"]) for one in json.loads(listed.stdout)] == [("denied", 3)]
    assert (cleared.exit_code, cleared.stderr) == (0, "1 of the faults were still waiting\n")
    assert faults.list() == []


def test_names_what_there_is_instead_of_a_fault_that_is_not(cloud: LocalCloud) -> None:
    answer = command(cloud, "add", "throttel", "--operation", "s3:PutObject")

    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: there is no fault 'throttel' (did you mean 'throttle'?); there are: ")


def test_takes_faults_from_the_owner_alone(cloud: LocalCloud) -> None:
    iam: Any = boto3.client("iam")
    iam.create_user(UserName="other")
    key = iam.create_access_key(UserName="other")["AccessKey"]
    other = AccessKey(key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])
    stranger = LocalCloud(root=cloud.root, port=cloud.port, pid=cloud.pid, key=other)

    with pytest.raises(CloudError, match="only the owner"):
        CloudFaults(stranger).add("throttle", "s3:PutObject")


def test_says_how_to_start_a_cloud_when_none_is_up(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "faults", "list"])

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "Error: no local cloud is running; start one with 'headrace local up'\n"
