"""`headrace doctor` on local clouds: silent where nothing is wrong, and with a finding for each planted problem."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from headrace import checkout, contract
from headrace.cli import cli
from headrace.doctor import app, examination
from headrace.doctor.permissions import ACTIONS
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.limits import NEW_ACCOUNT, Limits
from headrace.regions import OBJECT_LAMBDA
from tests.conftest import PROJECT
from tests.deploying import VERSION_PARAMETER
from tests.headrace.doctor.patients import call, run_states, write_app
from tests.local_clouds import ROLES, allow, assume, clients_of, find_free_port, make_role
from tests.patience import wait_until

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
TRAINING = run_states(Train=call("createTrainingJob.sync", ResourceConfig=CLUSTER))
OURS = {contract.ENVIRONMENT_METADATA: "dev"}
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/training:1"


@contextmanager
def running(root: Path, limits: Limits) -> Iterator[LocalCloud]:
    """A cloud that `cdk bootstrap` has prepared, as far as anybody asks."""
    started = local_cloud.start(root, find_free_port(), stop_with_caller=True, limits=limits)
    try:
        with clients_of(started):
            bootstrap("30")
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def healthy_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running(tmp_path_factory.mktemp("healthy"), Limits()) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def new_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running(tmp_path_factory.mktemp("new"), Limits.of(NEW_ACCOUNT, "ap-south-2")) as cloud:
        yield cloud


@pytest.fixture
def healthy(healthy_cloud: LocalCloud) -> Iterator[None]:
    """The AWS clients of this process lead to a cloud without limits."""
    with clients_of(healthy_cloud):
        yield


@pytest.fixture
def new_account(new_cloud: LocalCloud) -> Iterator[None]:
    """The AWS clients of this process lead to a new account, in a Region that has no GPUs of the family g5."""
    with clients_of(new_cloud):
        yield


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cdk validate` is not run: one test does."""
    monkeypatch.setattr(examination, "validate", lambda _: [])


def bootstrap(version: str) -> None:
    ssm: Any = boto3.client("ssm")
    ssm.put_parameter(Name=VERSION_PARAMETER, Value=version, Type="String", Overwrite=True)


def examine(*arguments: object, **variables: str | None) -> tuple[int, list[dict[str, str]]]:
    """The exit code of the command, and what it finds."""
    answer = CliRunner(env=variables).invoke(cli, ["doctor", *map(str, arguments), "--json"])
    assert answer.stdout, answer.output
    findings: list[dict[str, str]] = json.loads(answer.stdout)["findings"]
    return answer.exit_code, findings


def run(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The installed program."""
    command = [sys.executable, "-m", "headrace", "doctor", *map(str, arguments)]
    return subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def make_program(folder: Path, name: str, says: str) -> dict[str, str]:
    """A program that comes first on PATH and says its version; the variable for that."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
def test_is_silent_about_the_app_on_a_healthy_cloud(healthy: None) -> None:
    done = run("--env", "dev")

    assert (done.stdout, done.stderr, done.returncode) == (
        f"Nothing is wrong with dev in local cloud, {REGION}.\n",
        "",
        0,
    )


@pytest.mark.slow
def test_finds_old_node_and_the_wrong_cdk_as_a_program(healthy: None, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", {"Machine": TRAINING})
    path = make_program(tmp_path / "bin", "node", "v16.20.2")
    make_program(tmp_path / "other", "cdk", "3.0.0 (build 1)")
    path["PATH"] = f"{tmp_path / 'other'}{os.pathsep}{path['PATH']}"

    done = run("--assembly", folder, **path)

    assert done.returncode == 1
    assert f"   error  node: {tmp_path / 'bin' / 'node'} 16.20.2: the CDK command line needs 18.0.0" in done.stdout
    assert f" warning  cdk: {tmp_path / 'other' / 'cdk'} 3.0.0: the first `cdk` on PATH is not 2.1148.1" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("version", "code"), [("5", 1), ("6", 0)])
def test_finds_that_bootstrap_is_too_old(version: str, code: int, healthy: None, quick: None, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", {"Machine": TRAINING})
    bootstrap(version)

    found = examine("--assembly", folder)
    bootstrap("30")

    assert (found[0], [finding["check"] for finding in found[1]]) == (code, ["bootstrap"] * code)


LOGGING_STAGE = {"Type": "AWS::ApiGateway::Stage", "Properties": {"AccessLogSetting": {}}}
BOUNDED = {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/Bound"}}


@pytest.mark.slow
def test_finds_what_a_healthy_account_does_not_have(healthy: None, quick: None, tmp_path: Path) -> None:
    resources = {
        "Machine": TRAINING,
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"AvailabilityZone": f"{REGION}z"}},
        "Role": BOUNDED,
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": KEY}},
        "Any": {"Type": "X", "Properties": {"Subnets": ["subnet-0123456789abcdef0"]}},
        "Stage": LOGGING_STAGE,
    }

    code, findings = examine("--assembly", write_app(tmp_path / "app", resources, {"RawBucketName": "company-rows"}))

    assert code == 1
    assert {(finding["check"], finding["severity"]) for finding in findings} == {
        ("zones", "error"),
        ("existing", "error"),
        ("api-logs", "warning"),
    }
    assert {finding["place"] for finding in findings if finding["check"] == "existing"} == {
        "policy Bound",
        f"key {KEY}",
        "subnet subnet-0123456789abcdef0",
        "bucket company-rows",
    }


@pytest.mark.slow
def test_finds_that_a_container_image_in_use_is_missing(healthy: None, quick: None, tmp_path: Path) -> None:
    outputs = {"TrainingImageUri": IMAGE}
    folder = write_app(tmp_path / "app", {"Machine": TRAINING}, outputs)
    cloudformation: Any = boto3.client("cloudformation")
    template = {
        "Metadata": OURS,
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation.create_stack(StackName="headrace-dev-registry", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="headrace-dev-registry")

    code, (finding,) = examine("--assembly", folder)
    cloudformation.delete_stack(StackName="headrace-dev-registry")

    assert (code, finding["check"], finding["place"]) == (1, "container-images", IMAGE)


@pytest.mark.slow
def test_finds_what_a_new_account_may_not_have(new_account: None, quick: None, tmp_path: Path) -> None:
    resources = {
        "Machine": TRAINING,
        "Gpu": run_states(Learn=call("createTrainingJob.sync", ResourceConfig={"InstanceType": "ml.g5.xlarge"})),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"ReservedConcurrentExecutions": 5}},
        "Point": {"Type": OBJECT_LAMBDA},
    }

    code, findings = examine("--assembly", write_app(tmp_path / "app", resources))

    assert code == 1
    assert [(finding["check"], finding["severity"]) for finding in findings] == [
        ("quotas", "error"),
        ("quotas", "error"),
        ("lambda-concurrency", "error"),
        ("instance-types", "error"),
        ("object-lambda", "warning"),
    ]
    assert "'ml.m5.large for training job usage' is 0; Main: Train asks for 1" in findings[0]["problem"]
    assert findings[0]["cure"].endswith(f"--desired-value 1 --region {REGION}")


@pytest.mark.slow
def test_says_why_a_stack_is_stuck(new_account: None, quick: None, tmp_path: Path) -> None:
    configuration = {"SupportingAccessPoint": f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/raw"}
    point = {
        "Type": OBJECT_LAMBDA,
        "Properties": {"ObjectLambdaConfiguration": {**configuration, "TransformationConfigurations": []}},
    }
    folder = write_app(tmp_path / "app", {"Point": point})
    cloudformation: Any = boto3.client("cloudformation")
    name = "headrace-dev-main"
    template = json.dumps({"Metadata": OURS, "Resources": {"Point": point}})
    cloudformation.create_stack(StackName=name, TemplateBody=template, DisableRollback=True)
    stack = {"StackName": name}
    wait_until(lambda: cloudformation.describe_stacks(**stack)["Stacks"][0]["StackStatus"] == "CREATE_FAILED")

    code, findings = examine("--assembly", folder)
    cloudformation.delete_stack(**stack)

    assert (code, findings[0]["check"]) == (1, "stacks")
    assert "CREATE_FAILED" in findings[0]["problem"]
    assert "S3 Object Lambda is available only to accounts that had used it" in findings[0]["problem"]


@pytest.mark.slow
def test_needs_no_permission_but_those_of_the_list(healthy: None, quick: None, tmp_path: Path) -> None:
    resources: dict[str, Any] = {
        "It": BOUNDED,
        "Point": {"Type": OBJECT_LAMBDA},
        "Machine": TRAINING,
        "Stage": LOGGING_STAGE,
    }
    folder = write_app(tmp_path / "app", resources)
    make_role("doctor", allow(*ACTIONS.values()))
    make_role("stranger")

    def ask_as(role: str) -> set[str]:
        key = assume(f"{ROLES}/{role}").get_credentials()
        _, findings = examine(
            "--assembly",
            folder,
            AWS_ACCESS_KEY_ID=key.access_key,
            AWS_SECRET_ACCESS_KEY=key.secret_key,
            AWS_SESSION_TOKEN=key.token,
        )
        return {finding["problem"] for finding in findings if finding["severity"] == "not seen"}

    assert ask_as("doctor") == set()
    assert {problem.removeprefix("AccessDenied on ") for problem in ask_as("stranger")} <= set(ACTIONS.values())
    assert "AccessDenied on servicequotas:ListServiceQuotas" in ask_as("stranger")


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The AWS clients have a Region and nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-2")


def test_says_without_an_account_what_it_could_not_see(no_account: None, quick: None, tmp_path: Path) -> None:
    code, findings = examine("--assembly", write_app(tmp_path / "app", {"Machine": TRAINING}))

    assert (code, [(finding["check"], finding["severity"]) for finding in findings]) == (
        0,
        [("credentials", "not seen")],
    )


def test_finds_without_an_account_what_the_region_lacks(no_account: None, quick: None, tmp_path: Path) -> None:
    code, findings = examine("--assembly", write_app(tmp_path / "app", {"Url": {"Type": "AWS::Lambda::Url"}}))

    assert code == 1
    assert [finding["check"] for finding in findings] == ["region", "credentials"]


@pytest.mark.slow
def test_looks_in_the_region_that_the_app_is_bound_to(no_account: None, quick: None, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", {"Url": {"Type": "AWS::Lambda::Url"}})
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("unknown-region", "eu-west-1"))

    assert [finding["check"] for finding in examine("--assembly", folder)[1]] == ["credentials"]
    assert "region" in [finding["check"] for finding in examine("--assembly", folder, "--region", "eu-south-2")[1]]


def test_finds_a_profile_that_is_not_there(no_account: None, quick: None, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", {"Machine": TRAINING})

    code, findings = examine("--assembly", folder, "--profile", "stranger")

    assert (code, findings[0]["check"], findings[0]["severity"]) == (1, "credentials", "error")


@pytest.mark.slow
def test_does_not_wait_for_a_network_that_is_not_there(no_account: None, quick: None, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", {"Machine": TRAINING})
    nowhere = f"http://127.0.0.1:{find_free_port()}"

    code, findings = examine(
        "--assembly", folder, AWS_ENDPOINT_URL=nowhere, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b"
    )

    assert (code, [finding["check"] for finding in findings]) == (0, ["credentials"])
    assert nowhere in findings[0]["problem"]


@pytest.mark.slow
def test_finds_settings_that_contradict_each_other(
    no_account: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PROJECT / "stacks", tmp_path / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    settings = json.loads((PROJECT / "cdk.json").read_text())
    settings["context"]["environments"]["dev"]["notebook"] = {"enabled": True, "direct_internet": False}
    (tmp_path / "cdk.json").write_text(json.dumps(settings))
    for module in (checkout, app, examination):
        monkeypatch.setattr(module, "CHECKOUT", tmp_path)

    code, findings = examine("--env", "dev")

    found = next(finding for finding in findings if finding["check"] == "settings")
    assert (code, found["place"]) == (1, "cdk.json")
    assert "without direct_internet it cannot reach SageMaker" in found["problem"]


def test_finds_an_app_that_is_none(no_account: None, quick: None, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()

    code, findings = examine("--assembly", tmp_path / "app")

    assert (code, findings[0]["check"]) == (1, "templates")
