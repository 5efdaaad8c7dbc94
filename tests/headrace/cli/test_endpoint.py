"""`headrace pipeline endpoint`, on a control plane in memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.cli.pipeline_options import Target
from headrace.pipeline import endpoints, golden
from headrace.pipeline.archives import stamp_archive
from tests.headrace.cli.test_versions import GROUP, make_version, serve
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, make_group, register
from tests.headrace.local.sagemaker.conftest import IMPATIENT
from tests.headrace.local.sagemaker.kinds.test_endpoints import pack
from tests.headrace.pipeline.registries import Clients

pytestmark = pytest.mark.slow


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, IMPATIENT)
    make_group(cloud, GROUP)
    yield cloud
    cloud.sagemaker.close()


class Machine:
    """The state machine of a workload: what it knows, what runs on it, and what was started."""

    def __init__(self) -> None:
        self.definition = "{}"
        self.running: list[dict[str, str]] = []
        self.started: list[dict[str, Any]] = []

    def list_executions(self, **_request: Any) -> dict[str, Any]:
        return {"executions": self.running}

    def start(self, _machine: str, request: dict[str, Any], _name: str) -> str:
        self.started.append(dict(request))
        return "arn:execution"


@pytest.fixture(autouse=True)
def machine(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine, clients = Machine(), Clients(cloud)
    monkeypatch.setattr(
        boto3, "client", lambda service, **more: machine if service == "stepfunctions" else clients(service, **more)
    )
    monkeypatch.setattr(Target, "use_clients", lambda _: None)
    monkeypatch.setattr(Target, "find_machine", lambda _: "arn:machine")
    monkeypatch.setattr(Target, "find_start", lambda _: "arn:machine:live")
    monkeypatch.setattr(golden, "find_endpoint", lambda *_: "endpoint")
    monkeypatch.setattr(endpoints, "read_live_definition", lambda _: machine.definition)
    monkeypatch.setattr(endpoints, "start_execution", machine.start)
    monkeypatch.setattr("headrace.pipeline.versions.start_execution", machine.start)
    return machine


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["pipeline", "endpoint", *arguments])


def count_endpoints(cloud: Cloud) -> int:
    return len(cloud.call("ListEndpoints")["Endpoints"])


def test_deletes_the_endpoint_and_serves_the_version_again_that_served_last(cloud: Cloud, machine: Machine) -> None:
    make_version(cloud, served="2026-11-28T04:00:00Z")
    last = make_version(cloud, served="2026-11-29T04:00:00Z")
    make_version(cloud)
    serve(cloud, last)

    stopped = run("stop")
    started = run("start")

    assert (stopped.exit_code, count_endpoints(cloud)) == (0, 0), stopped.output
    assert "endpoint is gone; to make it again: headrace pipeline endpoint start" in stopped.stderr
    assert len(cloud.call("ListEndpointConfigs")["EndpointConfigs"]) == 1
    assert (started.exit_code, started.stdout) == (0, "arn:execution\n")
    assert machine.started == [{"ModelPackageArn": last}]


def test_stops_nothing_that_could_not_be_started_again(cloud: Cloud) -> None:
    make_version(cloud, served="2026-11-28T04:00:00Z", status="Rejected")
    serve(cloud, make_version(cloud))

    stopped = run("stop")

    assert (stopped.exit_code, count_endpoints(cloud)) == (1, 1)
    assert (
        "endpoint endpoint could not be started again, so it is not stopped: no approved version of" in stopped.stderr
    )


def remove_archive(cloud: Cloud, _version: str) -> None:
    cloud.s3.delete_object(Bucket="work", Key="model.tar.gz")


def replace_archive(cloud: Cloud, _version: str) -> None:
    cloud.s3.put("work", "model.tar.gz", b"another")


def give_variables(cloud: Cloud, version: str) -> None:
    specification = cloud.call("DescribeModelPackage", ModelPackageName=version)["InferenceSpecification"]
    (container,) = specification["Containers"]
    changed = {"Containers": [{**container, "Environment": {"DEBUG": "1"}}]}
    cloud.call("UpdateModelPackage", ModelPackageArn=version, InferenceSpecification=changed)


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (remove_archive, "its archive s3://work/model.tar.gz was deleted, or you may not read it"),
        (replace_archive, "its archive s3://work/model.tar.gz has changed: S3 called it "),
        (give_variables, "it has Environment"),
    ],
)
def test_stops_nothing_that_no_execution_would_serve_again(
    happens: Callable[[Cloud, str], None], words: str, cloud: Cloud
) -> None:
    cloud.s3.put("work", "model.tar.gz", pack({"model.txt": b"a"}))
    stamp = stamp_archive(cloud.s3.head_object(Bucket="work", Key="model.tar.gz"))
    facts = {"headrace:endpoint": "endpoint", "headrace:served": "2026-11-28T04:00:00Z", "headrace:archive": stamp}
    version = register(
        cloud,
        cloud.push_image(SERVE, name="server"),
        container={"ModelDataUrl": "s3://work/model.tar.gz"},
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties=facts,
    )
    serve(cloud, version)
    happens(cloud, version)

    stopped = run("stop")

    assert (stopped.exit_code, count_endpoints(cloud)) == (1, 1)
    assert f"it is not stopped: version 1 is not what it was registered as: {words}" in stopped.stderr


def test_says_for_programs_that_it_is_gone(cloud: Cloud) -> None:
    serve(cloud, make_version(cloud, served="2026-11-28T04:00:00Z"))

    assert json.loads(run("stop", "--json").stdout) == {"outcome": "STOPPED", "endpoint": "endpoint"}


def test_leaves_it_to_the_state_machine_where_that_knows_how(cloud: Cloud, machine: Machine) -> None:
    machine.definition = '{"Condition": "{% $request.EndpointAction = \'STOP\' %}"}'
    serve(cloud, make_version(cloud))

    stopped = run("stop")

    assert (stopped.exit_code, stopped.stdout) == (0, "arn:execution\n")
    assert machine.started == [{"EndpointAction": "STOP", "Comment": "by hand"}]


def test_starts_by_the_state_machine_where_that_knows_how(machine: Machine) -> None:
    machine.definition = '{"Condition": "{% $request.EndpointAction = \'START\' %}"}'

    assert run("start").exit_code == 0
    assert machine.started == [{"EndpointAction": "START", "Comment": "by hand"}]


def test_leaves_an_endpoint_that_a_running_execution_may_be_about_to_update(cloud: Cloud, machine: Machine) -> None:
    serve(cloud, make_version(cloud))
    machine.running = [{"name": "run-7"}]

    stopped = run("stop")

    assert stopped.exit_code == 1
    assert "execution run-7 runs and may be about to update endpoint endpoint" in stopped.stderr
    assert count_endpoints(cloud) == 1


def test_leaves_an_endpoint_that_no_execution_could_start_again(cloud: Cloud) -> None:
    serve(cloud, make_version(cloud))
    cloud.call("DeleteModel", ModelName="m")

    stopped = run("stop")

    assert stopped.exit_code == 1
    assert f"endpoint endpoint serves no version of {GROUP}" in stopped.stderr


def test_says_where_there_is_nothing_to_stop_or_start(cloud: Cloud) -> None:
    stopped, started = run("stop"), run("start")
    serve(cloud, make_version(cloud))
    standing = run("start")

    assert "there is no endpoint endpoint" in stopped.stderr
    assert f"no approved version of {GROUP} has served at endpoint" in started.stderr
    assert "endpoint endpoint is there already: InService" in standing.stderr
    assert (stopped.exit_code, started.exit_code, standing.exit_code) == (1, 1, 1)


@pytest.mark.parametrize(
    ("command", "status", "advice"),
    [
        ("start", "Failed", "Failed; stop it with headrace pipeline endpoint stop, and start it then"),
        ("start", "Deleting", "Deleting; start it once it is gone"),
        ("stop", "Deleting", "endpoint endpoint is being deleted already"),
    ],
)
def test_says_what_to_do_about_an_endpoint_that_neither_serves_nor_is_gone(
    monkeypatch: pytest.MonkeyPatch, command: str, status: str, advice: str
) -> None:
    monkeypatch.setattr(endpoints.WorkloadEndpoint, "_read_status", lambda _: status)

    said = run(command)

    assert advice in said.stderr
    assert said.exit_code == 1
