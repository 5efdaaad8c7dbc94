"""Environments of a few small stacks, and what was made beside them, torn down: denied, killed, beside others alike."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.client import BaseClient
from click.testing import CliRunner, Result

from headrace import contract
from headrace.cli import cli
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.faults import CloudFaults
from headrace.loopback import find_free_port
from tests.conftest import PROJECT
from tests.local_clouds import clients_of
from tests.tables import Note, mark_full

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOR_GOOD: Final = ("--yes", "--delete-data", "*")
IMAGE: Final = "example.com/echo:1"
ECHO: Final = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
address = os.environ['HEADRACE_BIND_HOST'], int(os.environ['SAGEMAKER_BIND_TO_PORT'])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
WAITING: Final = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1_000_000, "End": True}}}
TRUST: Final = {
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
        for service in ("sagemaker", "states", "events")
    ]
}
# How often a teardown is killed, each time somewhere else.
SEEDS: Final = range(50)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud that a container image was brought to, and that allows everything."""
    folder = tmp_path_factory.mktemp("teardown")
    (folder / "echo.py").write_text(ECHO)
    bring_python(folder / "cloud", IMAGE, Path(sys.executable), folder / "echo.py")
    started = local_cloud.start(folder / "cloud", find_free_port(), stop_with_caller=True, evaluates_iam=False)
    try:
        with clients_of(started):
            yield started
    finally:
        started.stop()


def tear_down(environment: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["teardown", "--env", environment, *arguments])


def create_stack(environment: str, name: str, region: str | None = None, **template: Any) -> None:
    """Deploy a stack that says that it is an environment's."""
    cloudformation: Any = boto3.client("cloudformation", region_name=region)
    stack = contract.stack_name(environment, name)
    marked = {"Metadata": {contract.ENVIRONMENT_METADATA: environment}, **template}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(marked), Capabilities=["CAPABILITY_NAMED_IAM"])
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


def make_environment(name: str) -> None:
    """Two stacks, one of which uses the other, with data; an execution, an endpoint, and versions beside them."""
    create_stack(
        name,
        "storage",
        Resources={
            "Raw": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"headrace-{name}-raw"}},
            "Kept": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "Properties": {"BucketName": f"headrace-{name}-kept"},
            },
        },
        Outputs={"Raw": {"Value": {"Ref": "Raw"}, "Export": {"Name": f"headrace-{name}-storage:Raw"}}},
    )
    role = {"RoleName": f"headrace-{name}-role", "AssumeRolePolicyDocument": TRUST}
    used = {"Raw": {"Fn::ImportValue": f"headrace-{name}-storage:Raw"}}
    machine = {
        "StateMachineName": f"headrace-{name}-machine",
        "DefinitionString": json.dumps(WAITING),
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    group = {"ModelPackageGroupName": f"headrace-{name}-group", "Tags": []}
    create_stack(
        name,
        "bigmart",
        Resources={
            "Role": {"Type": "AWS::IAM::Role", "Metadata": used, "Properties": role},
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
            "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": group},
        },
    )
    make_at_run_time(name)


def make_at_run_time(name: str) -> None:
    """What executions and people make."""
    s3, sagemaker, states = (boto3.client(service) for service in ("s3", "sagemaker", "stepfunctions"))
    for bucket in (f"headrace-{name}-raw", f"headrace-{name}-kept"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for body in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=body)
    (machine,) = (each for each in states.list_state_machines()["stateMachines"] if f"-{name}-" in each["name"])
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    url = f"s3://headrace-{name}-raw/model.tar.gz"
    for _ in range(2):
        sagemaker.create_model_package(
            ModelPackageGroupName=f"headrace-{name}-group",
            ModelApprovalStatus="Approved",
            InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": url}]},
        )
    role = boto3.client("iam").get_role(RoleName=f"headrace-{name}-role")["Role"]["Arn"]
    endpoint = f"shop-of-{name}"
    sagemaker.create_model(ModelName=endpoint, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "all", "ModelName": endpoint, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    # It may still be Creating when it is torn down.
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)


def list_standing(name: str) -> set[str]:
    """What there is of an environment, as the services say it."""
    s3, sagemaker, states = (boto3.client(service) for service in ("s3", "sagemaker", "stepfunctions"))
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    found = {
        *(each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"),
        *(each["Name"] for each in s3.list_buckets()["Buckets"]),
        *(each["name"] for each in states.list_state_machines()["stateMachines"]),
        *(each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]),
        *(each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
        *(each["ModelName"] for each in sagemaker.list_models()["Models"]),
        *(each["ModelPackageGroupName"] for each in groups),
    }
    return {each for each in found if each.startswith(f"headrace-{name}-") or each == f"shop-of-{name}"}


def kill_teardown(name: str, requests: int) -> int:
    """Start a teardown that is killed after so many requests to AWS; what it exits with."""
    command = [sys.executable, "-m", "tests.killed", "any", str(requests), "after", "teardown", "--env", name]
    return subprocess.run([*command, *FOR_GOOD], cwd=PROJECT, capture_output=True, check=False).returncode


def test_leaves_an_environment_whose_name_begins_alike_and_keeps_what_outlives_its_stack(cloud: LocalCloud) -> None:
    make_environment("dev")
    make_environment("dev2")
    other = list_standing("dev2")

    shown = tear_down("dev", "--dry-run")
    torn = tear_down("dev", "--yes", "--delete-data", "*-raw", "--delete-data", "*/headrace-dev-group", "--json")
    verified = tear_down("dev", "--verify", "--json")
    later = tear_down("dev", "--yes", "--delete-data", "headrace-dev-kept")

    assert (shown.exit_code, torn.exit_code, later.exit_code) == (0, 0, 0), torn.output
    assert "dev2" not in shown.stdout
    receipt = json.loads(torn.stdout)
    assert [each["name"] for each in receipt["kept"]] == ["headrace-dev-kept"]
    assert (receipt["failed"], receipt["standing"]) == ([], [])
    assert {"shop-of-dev", "headrace-dev-bigmart", "headrace-dev-raw"} <= {each["name"] for each in receipt["deleted"]}
    assert (verified.exit_code, [each["name"] for each in json.loads(verified.stdout)]) == (1, ["headrace-dev-kept"])
    assert (list_standing("dev"), list_standing("dev2")) == (set(), other)
    assert tear_down("dev2", *FOR_GOOD).exit_code == 0


def test_goes_on_where_an_endpoint_cannot_be_deleted_and_keeps_the_stack_of_its_role(cloud: LocalCloud) -> None:
    make_environment("denied")
    CloudFaults(cloud).add("denied", "sagemaker:DeleteEndpoint", times=1)

    torn = tear_down("denied", *FOR_GOOD, "--json")
    standing = list_standing("denied")
    again = tear_down("denied", *FOR_GOOD)

    failed = {each["name"] for each in json.loads(torn.stdout)["failed"]}
    assert torn.exit_code == 1
    assert failed == {"shop-of-denied", "headrace-denied-bigmart", "headrace-denied-storage"}
    assert "these stand: shop-of-denied" in torn.stderr
    assert {"shop-of-denied", "headrace-denied-bigmart", "headrace-denied-raw"} <= standing
    assert (again.exit_code, list_standing("denied")) == (0, set())


def test_deletes_a_stack_that_could_not_be_made_and_leaves_one_of_the_same_name_in_another_region(
    cloud: LocalCloud,
) -> None:
    name = "headrace-half-storage"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "headrace-half-elsewhere"}}
    create_stack("half", "storage", "eu-west-1", Resources={"Raw": bucket})
    boto3.client("logs").create_log_group(logGroupName="taken")
    taken = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "taken"}}
    with pytest.raises(Exception, match="ROLLBACK"):
        create_stack("half", "storage", Resources={"Logs": taken})

    torn = tear_down("half", *FOR_GOOD)

    here, elsewhere = (boto3.client("cloudformation", region_name=region) for region in ("us-east-1", "eu-west-1"))
    assert torn.exit_code == 0, torn.output
    assert name not in [each["StackName"] for each in here.describe_stacks()["Stacks"]]
    assert [each["StackName"] for each in elsewhere.describe_stacks()["Stacks"]] == [name]


@pytest.fixture(scope="module")
def requests(cloud: LocalCloud) -> int:
    """How many requests a teardown makes that nothing disturbs."""
    make_environment("counted")
    call, count = BaseClient._make_api_call, 0

    def call_and_count(client: Any, name: str, request: Any) -> Any:
        nonlocal count
        count += 1
        return call(client, name, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call_and_count)
        assert tear_down("counted", *FOR_GOOD).exit_code == 0
    return count


@pytest.mark.parametrize("seed", mark_full("teardown", SEEDS, but=()))
def test_resumes_after_it_was_killed_at_any_request(
    cloud: LocalCloud, requests: int, seed: int, record_property: Note
) -> None:
    name = f"killed{seed}"
    chance = random.Random(seed)  # noqa: S311 (the same requests each time)
    kills = sorted(chance.randrange(1, requests) for _ in range(2))
    record_property("note", f"killed after requests {kills} of about {requests}")
    make_environment(name)

    ended = [kill_teardown(name, at) for at in kills]
    last = tear_down(name, *FOR_GOOD)
    verified = tear_down(name, "--verify")

    assert ended[0] == -signal.SIGKILL
    assert ended[1] in (-signal.SIGKILL, 0)
    assert (last.exit_code, verified.exit_code) == (0, 0), last.output + verified.output
    assert list_standing(name) == set()
