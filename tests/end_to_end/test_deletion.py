"""An environment's end on the local cloud: `dev` goes with everything in it, `prod` leaves its data to the next one."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from click.testing import CliRunner, Result

from account import build as build_account
from headrace import contract
from headrace.cli import cli
from headrace.deletion.stacks import StackDeletionError, delete_stack
from headrace.deletion.standing import find_stacks
from headrace.local.engine.cloud import LocalCloud
from headrace.local.engine.file_systems import list_folders
from headrace.local.platform.deployment import Deployment, read_deployment
from headrace.workloads import big_mart as big_mart_workload
from stacks.account_stack import LOG_GROUPS, SHARED_GROUPS
from tests.conftest import PROJECT
from tests.deploying import deploy, push_container_images
from tests.end_to_end.conftest import Platform, configure_dev, deployed_platform
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.local_clouds import clients_of
from tests.stacks.conftest import context_of, read_context
from tests.stacks.synthesis import assemble

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LISTED = {
    "cloudformation": ("describe_stacks", "Stacks", "StackName"),
    "s3": ("list_buckets", "Buckets", "Name"),
    "ecr": ("describe_repositories", "repositories", "repositoryName"),
    "iam": ("list_roles", "Roles", "RoleName"),
    "lambda": ("list_functions", "Functions", "FunctionName"),
    "logs": ("describe_log_groups", "logGroups", "logGroupName"),
    "stepfunctions": ("list_state_machines", "stateMachines", "name"),
    "cloudwatch": ("describe_alarms", "MetricAlarms", "AlarmName"),
}
MADE = {"endpoint": "Endpoints", "endpoint_config": "EndpointConfigs", "model": "Models"}
# Without a question, and with all of the data named.
FOR_GOOD = ("--yes", "--delete-data", "*")
LIST = "0\t0\ta.jpg\n"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """`dev` on a cloud that nothing else uses."""
    with deployed_platform(tmp_path_factory.mktemp("deletion")) as platform, clients_of(platform.cloud):
        yield platform


def run_command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def list_left(environment: str) -> set[str]:
    """What an environment has in every service that it uses; everything it makes bears its name."""
    found: set[str] = set()
    for service, (operation, key, name) in LISTED.items():
        client: Any = boto3.client(service)
        found |= {each[name] for each in getattr(client, operation)()[key]}
    sagemaker: Any = boto3.client("sagemaker")
    for kind, key in MADE.items():
        found |= {str(each) for each in getattr(sagemaker, f"list_{kind}s")()[key]}
    found |= {str(vpc.get("Tags")) for vpc in boto3.client("ec2").describe_vpcs()["Vpcs"]}
    return {name for name in found if f"headrace-{environment}" in name}


def read_versions(bucket: str) -> dict[tuple[str, str], bytes]:
    """Every version of every object of a bucket."""
    s3: Any = boto3.client("s3")
    versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
    keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
    return {(key["Key"], key["VersionId"]): s3.get_object(Bucket=bucket, **key)["Body"].read() for key in keys}


def run_as_printed(cloud: LocalCloud, line: str) -> None:
    """A command that `headrace adopt` has printed, run by the real CDK command line with its questions answered."""
    environment = {
        **os.environ,
        **cloud.client_environment,
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"http://localhost:{cloud.port}",
    }
    _, verb, *arguments = shlex.split(line)
    answered = ["--require-approval", "never"] if verb == "deploy" else []
    command = [str(PROJECT / "node_modules" / ".bin" / "cdk"), "--no-notices", "--ci", verb, *arguments, *answered]
    ended = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# Where a teardown is killed: one request in each of its phases, before or after it has taken effect.
EVERY_PHASE = (
    ("ListExecutions", 1, "after"),
    ("DeleteEndpoint", 1, "after"),
    ("DeleteModelPackage", 1, "after"),
    ("DeleteStack", 2, "after"),
    ("DeleteBucket", 1, "before"),
    # In the plan, in the second look at what was made, and in the last look.
    ("ListStacks", 3, "after"),
)
KILLS = EVERY_PHASE if IS_EXHAUSTIVE else EVERY_PHASE[1::2]


def kill_teardown(operation: str, count: int, when: str) -> int:
    """Start a teardown that is killed at a request; what it exits with."""
    command = [sys.executable, "-m", "tests.killed", operation, str(count), when, "teardown", "--env", "dev", *FOR_GOOD]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, check=False).returncode


def make_at_run_time(platform: Platform, sales: Path) -> None:
    """An endpoint and a version, versions of objects, an execution that runs, and a bucket that outlives its stack."""
    big_mart_workload.Run(sales, sales.parent).bring_data(platform.site)
    execution = platform.run(EndpointName="of-another-name")
    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    platform.start()
    s3: Any = boto3.client("s3")
    for body in (b"1", b"2"):
        s3.put_object(Bucket=platform.deployment.raw_bucket, Key="twice", Body=body)
    s3.delete_object(Bucket=platform.deployment.raw_bucket, Key="twice")
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    create_stack("headrace-dev-extra", Metadata={contract.ENVIRONMENT_METADATA: "dev"}, Resources={"Kept": kept})


def test_tears_dev_down_whole_however_often_it_is_killed_and_deploys_it_again(platform: Platform, sales: Path) -> None:
    make_at_run_time(platform, sales)
    stood = list_left("dev")

    before = run_command("teardown", "--env", "dev", "--verify")
    asked = run_command("teardown", "--env", "dev")
    unnamed = run_command("teardown", "--env", "dev", "--yes")
    untouched = list_left("dev")
    killed = [kill_teardown(*kill) for kill in KILLS]
    again = run_command("teardown", "--env", "dev", *FOR_GOOD)
    verified = run_command("teardown", "--env", "dev", "--verify")

    assert len(stood) > len(LISTED)
    assert (before.exit_code, asked.exit_code, unnamed.exit_code) == (1, 2, 1)
    assert "of-another-name" in before.stdout
    assert f"bucket {platform.deployment.raw_bucket}" in unnamed.stderr
    # The execution that runs meanwhile may have made more.
    assert untouched >= stood
    assert killed == [-signal.SIGKILL] * len(KILLS)
    assert (again.exit_code, again.stdout) == (0, "")
    assert verified.exit_code == 0, verified.output
    assert list_left("dev") == set()
    assert deploy(assemble(configure_dev()))


def create_stack(name: str, **template: Any) -> None:
    """Deploy a template as it is."""
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )


def test_leaves_a_stack_of_somebody_else_whose_name_begins_like_an_environments(platform: Platform) -> None:
    name = "headrace-other-frontend"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "photographs-of-others"}}
    create_stack(name, Resources={"Photographs": bucket})
    boto3.client("s3").put_object(Bucket="photographs-of-others", Key="a.jpg", Body=b"1")

    torn = run_command("teardown", "--env", "other", *FOR_GOOD)
    left = list_left("other")
    boto3.client("s3").delete_object(Bucket="photographs-of-others", Key="a.jpg")
    boto3.client("cloudformation").delete_stack(StackName=name)

    assert (torn.exit_code, left) == (0, {name})


def test_says_what_could_not_be_deleted_and_resumes(platform: Platform) -> None:
    create_stack(
        "headrace-other-storage",
        Metadata={contract.ENVIRONMENT_METADATA: "other"},
        Resources={"Raw": {"Type": "AWS::S3::Bucket"}, "Work": {"Type": "AWS::S3::Bucket"}},
    )
    (stack,) = find_stacks("other")
    raw = next(resource.id for resource in stack.resources if resource.logical_id == "Raw")
    boto3.client("s3").put_object(Bucket=raw, Key="rows.csv", Body=b"1")

    with pytest.raises(StackDeletionError, match="could not delete headrace-other-storage: Raw: The bucket you tried"):
        delete_stack(stack)
    left = [resource.logical_id for resource in find_stacks("other")[0].resources]
    torn = run_command("teardown", "--env", "other", *FOR_GOOD)

    assert left == ["Raw"]
    assert (torn.exit_code, find_stacks("other")) == (0, [])


@pytest.fixture
def filled(platform: Platform) -> Deployment:
    """`prod`, with something in everything that keeps data."""
    deploy(assemble(context_of("prod")))
    deployment = push_container_images(platform.cloud, "prod")
    s3: Any = boto3.client("s3")
    for output in ("RawBucketName", "WorkBucketName"):
        for body in (b"first", b"second"):
            s3.put_object(Bucket=deployment.outputs[output], Key="data/rows.csv", Body=body)
    lists = list_folders(platform.cloud.root)[deployment.outputs["EfsFileSystemId"]] / "lists"
    lists.mkdir(exist_ok=True)
    (lists / "train.lst").write_text(LIST)
    return deployment


def test_adopts_the_data_of_prod_when_it_is_deployed_again(
    platform: Platform, filled: Deployment, tmp_path: Path
) -> None:
    before, assembly = filled.outputs, str(assemble(context_of("prod")))
    buckets = (before["RawBucketName"], before["WorkBucketName"])
    data = {bucket: read_versions(bucket) for bucket in buckets}
    (key,) = find_key()
    refused = run_command("teardown", "--env", "prod", *FOR_GOOD)
    lustre = before["FsxFileSystemId"]
    torn = run_command("teardown", "--env", "prod", "--yes", "--unprotect", "--json", "--delete-data", lustre)
    kept = {each["name"] for each in json.loads(torn.stdout)["kept"]}

    found = run_command("adopt", "--assembly", assembly, "--output", str(tmp_path))
    for line in found.stdout.splitlines():
        if not line.startswith("#"):
            run_as_printed(platform.cloud, line)
    after = read_deployment("prod").outputs

    assert refused.exit_code == 1
    assert "are protected from being deleted" in refused.stderr
    assert torn.exit_code == 0, torn.output
    assert {*buckets, key, before["EfsFileSystemId"]} < kept
    assert found.exit_code == 0, found.output
    same = [name for name in before if name.endswith(("BucketName", "ImageUri", "EfsFileSystemId"))]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert find_key() == [key]
    assert {bucket: read_versions(bucket) for bucket in buckets} == data
    assert (list_folders(platform.cloud.root)[after["EfsFileSystemId"]] / "lists" / "train.lst").read_text() == LIST
    assert list_images(after) == list_images(before) != []


@only_exhaustive("prod is adopted by the same command line of CDK")
def test_adopts_the_log_groups_that_sagemaker_has_made_for_the_account(platform: Platform, tmp_path: Path) -> None:
    """With a retention and a key, which an import alone would not give them; with a new one for what is missing."""
    logs: Any = boto3.client("logs")
    for name in ("TrainingJobs", "Endpoints/shop"):
        # Jobs of other tests may have made it.
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=f"{LOG_GROUPS}/{name}")
        logs.create_log_stream(logGroupName=f"{LOG_GROUPS}/{name}", logStreamName="kept")
    settings = {"retention_days": 365, "customer_key": True, "endpoints": ["shop"]}
    first = synthesize_account(tmp_path / "first", settings)

    found = run_command("adopt", "--assembly", str(first), "--output", str(tmp_path / "adoption"))
    for line in found.stdout.splitlines():
        if not line.startswith("#"):
            run_as_printed(platform.cloud, line)
    adopted = read_log_groups(logs)
    deploy(synthesize_account(tmp_path / "second", {**settings, "retention_days": 30}))
    changed = read_log_groups(logs)

    assert found.exit_code == 0, found.output
    assert adopted.keys() == {*SHARED_GROUPS, "Endpoints/shop"}
    (key,) = {key for _, key in adopted.values()}
    assert key
    assert {days for days, _ in adopted.values()} == {365}
    assert changed == dict.fromkeys(adopted, (30, key))
    for name in ("TrainingJobs", "Endpoints/shop"):
        streams = logs.describe_log_streams(logGroupName=f"{LOG_GROUPS}/{name}")["logStreams"]
        assert "kept" in [stream["logStreamName"] for stream in streams]


def synthesize_account(folder: Path, logs: Mapping[str, Any]) -> Path:
    """The account's app with these settings of its logs, synthesized."""
    build_account(cdk.App(context=read_context() | {"account": {"logs": logs}}, outdir=str(folder))).synth()
    return folder


def read_log_groups(logs: Any) -> dict[str, tuple[int, str]]:
    """The retention and the key of the log groups that the account's stack has, by the ends of their names."""
    groups = logs.describe_log_groups(logGroupNamePrefix=f"{LOG_GROUPS}/")["logGroups"]
    by_name = {group["logGroupName"].removeprefix(f"{LOG_GROUPS}/"): group for group in groups}
    return {
        name: (group["retentionInDays"], group["kmsKeyId"])
        for name, group in by_name.items()
        if name in {*SHARED_GROUPS, "Endpoints/shop"}
    }


def find_key() -> list[str]:
    return [name for stack in find_stacks("prod") for name in stack.list_ids("AWS::KMS::Key")]


def list_images(outputs: Mapping[str, str]) -> list[Any]:
    """What one of the repositories holds."""
    ecr: Any = boto3.client("ecr")
    uri = next(value for name, value in sorted(outputs.items()) if name.endswith("ImageUri"))
    repository = uri.partition("/")[2].partition(":")[0]
    images: list[Any] = ecr.list_images(repositoryName=repository)["imageIds"]
    return images
