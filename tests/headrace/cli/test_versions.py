"""`headrace pipeline versions`, `approve`, `reject`, `rollback` and `compare`, on a registry in memory."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.cli.pipeline_options import Target
from tests.headrace.local.sagemaker.cloud import ROLE, SERVE, Cloud, make_group, register
from tests.headrace.local.sagemaker.conftest import IMPATIENT
from tests.headrace.pipeline.registries import Clients, put

pytestmark = pytest.mark.slow

GROUP = "headrace-dev-bigmart"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, IMPATIENT)
    make_group(cloud, GROUP)
    yield cloud
    cloud.sagemaker.close()


@pytest.fixture(autouse=True)
def clients(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Clients:
    clients = Clients(cloud)
    monkeypatch.setattr(boto3, "client", clients)
    monkeypatch.setattr(Target, "use_clients", lambda _: None)
    monkeypatch.setattr(Target, "find_machine", lambda _: "arn:machine")
    monkeypatch.setattr(Target, "find_start", lambda _: "arn:machine:live")
    return clients


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["pipeline", *arguments])


def make_version(cloud: Cloud, *, status: str = "Approved", served: str = "") -> str:
    facts = {"headrace:endpoint": "endpoint", "headrace:served": served, "metric:validation:rmse": "1027.9"}
    return register(
        cloud,
        cloud.push_image(SERVE, name="server"),
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        CustomerMetadataProperties={name: value for name, value in facts.items() if value},
    )


def serve(cloud: Cloud, arn: str) -> None:
    cloud.call("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    cloud.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="c")
    cloud.sagemaker.wait("Endpoint", "endpoint")


def find_status(cloud: Cloud, arn: str) -> str:
    return str(cloud.call("DescribeModelPackage", ModelPackageName=arn)["ModelApprovalStatus"])


def test_lists_versions_as_a_table(cloud: Cloud) -> None:
    serve(cloud, make_version(cloud, served="2026-11-29T04:00:00.123Z"))
    make_version(cloud, status="PendingManualApproval")

    header, _, second, first = run("versions").stdout.splitlines()

    assert header.split() == ["version", "status", "made", "served", "since", "serves", "at", "validation:rmse"]
    assert first.split()[:2] == ["1", "Approved"]
    assert first.split()[4:] == ["2026-11-29", "04:00:00", "endpoint", "1,027.900"]
    assert second.split()[:2] == ["2", "PendingManualApproval"]


def test_lists_versions_for_programs(cloud: Cloud) -> None:
    arn = make_version(cloud)

    (listed,) = json.loads(run("versions", "--json").stdout)

    assert (listed["modelPackageArn"], listed["version"], listed["endpoints"]) == (arn, 1, [])
    assert listed["metrics"] == {"validation:rmse": 1027.9}


def test_says_that_there_are_no_versions() -> None:
    assert run("versions").stdout.splitlines()[-1] == "none"


def test_an_approval_leaves_the_rest_to_its_event(cloud: Cloud, clients: Clients) -> None:
    arn = make_version(cloud, status="PendingManualApproval")

    done = run("approve", "1", "--reason", "good")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert find_status(cloud, arn) == "Approved"
    assert clients.states.inputs == {}


def test_starts_an_execution_for_a_version_that_is_approved_already(cloud: Cloud, clients: Clients) -> None:
    arn = make_version(cloud)

    done = run("approve", arn)

    assert (done.exit_code, done.stdout) == (0, "arn:execution:0\n")
    assert json.loads(clients.states.inputs["arn:execution:0"]) == {"ModelPackageArn": arn}


def test_has_an_execution_compare_a_version_that_serves_already_with_the_settings(
    cloud: Cloud, clients: Clients
) -> None:
    arn = make_version(cloud)
    serve(cloud, arn)

    done = run("approve", "1")

    assert (done.exit_code, done.stdout) == (0, "arn:execution:0\n")
    assert done.stderr.startswith("version 1 serves already at endpoint; an execution updates that where it differs")
    assert json.loads(clients.states.inputs["arn:execution:0"]) == {"ModelPackageArn": arn}


def test_rejects_a_version_and_says_where_it_serves_all_the_same(cloud: Cloud) -> None:
    arn = make_version(cloud)
    serve(cloud, arn)

    done = run("reject", "1", "--reason", "worse")

    assert done.exit_code == 0
    assert done.stderr.startswith("version 1 still serves at endpoint; serve another with: headrace pipeline rollback")
    assert find_status(cloud, arn) == "Rejected"


def test_goes_back_to_what_served_before(cloud: Cloud, clients: Clients) -> None:
    arn = make_version(cloud, served="2026-11-28T00:00:00Z")
    serve(cloud, make_version(cloud, served="2026-11-29T00:00:00Z"))

    done = run("rollback")

    assert (done.exit_code, done.stderr) == (0, "version 2 serves; going back to version 1\n")
    assert json.loads(clients.states.inputs[done.stdout.strip()]) == {"ModelPackageArn": arn}


def test_goes_back_to_a_version_by_its_number(cloud: Cloud) -> None:
    arn = make_version(cloud, status="Rejected")

    assert run("rollback", "--to", "1").exit_code == 0
    assert find_status(cloud, arn) == "Approved"


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("approve", "7"), 1, "Error: headrace-dev-bigmart has no version '7'; it has: 1\n"),
        (("reject", "x\x1b[2J"), 1, "has no version 'x\\x1b[2J'"),
        (("rollback",), 1, "Error: no version of headrace-dev-bigmart serves or has served\n"),
        (("rollback", "--to", "1", "--endpoint", "e"), 2, "give either --to or --endpoint"),
        (("versions", "--env", "none"), 1, "Error: there is no model package group headrace-none-bigmart: deploy"),
        (("compare", "1", "2"), 1, "has no version '2'"),
    ],
)
def test_says_what_there_is_not(cloud: Cloud, arguments: tuple[str, ...], code: int, reason: str) -> None:
    make_version(cloud)

    done = run(*arguments)

    assert (done.exit_code, done.stdout) == (code, "")
    assert reason in done.stderr


def test_compares_two_versions(cloud: Cloud) -> None:
    make_version(cloud)
    make_version(cloud)

    shown, printed = run("compare", "1", "2"), run("compare", "1", "2", "--json")

    assert "validation:rmse  1,027.900  1,027.900  equal" in shown.stdout
    assert "version 1 has no record of what it was made from" in shown.stdout
    assert json.loads(printed.stdout)["after"]["version"] == 2


def test_says_that_a_record_is_damaged(cloud: Cloud) -> None:
    place = {"headrace:record": "s3://work/executions/run/record/"}
    arn = make_version(cloud)
    cloud.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties=place)
    put(cloud, "executions/run/record/inputs.json", "[" * 100_000)

    done = run("compare", "1", "1")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: s3://work/executions/run/record/: inputs.json: not a record of inputs")
