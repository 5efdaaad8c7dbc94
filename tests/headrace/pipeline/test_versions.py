"""Versions of a model: listed with where they serve, gone back to, and served by executions that approvals start."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.contract import SERVED_AT_FACT, VersionFact
from headrace.pipeline.versions import (
    APPROVED,
    REJECTED,
    Deployments,
    NoSuchVersionError,
    NothingToGoBackToError,
    NotStartedError,
    Registry,
    start_serving,
)
from tests.headrace.local.sagemaker.cloud import ROLE, SERVE, Cloud, await_status, make_group, register
from tests.headrace.local.sagemaker.conftest import IMPATIENT
from tests.headrace.pipeline.registries import Clients

pytestmark = pytest.mark.slow

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:machine"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path, IMPATIENT)
    make_group(cloud)
    yield cloud
    cloud.sagemaker.close()


@pytest.fixture
def clients(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Clients:
    clients = Clients(cloud)
    monkeypatch.setattr(boto3, "client", clients)
    return clients


@pytest.fixture
def registry(clients: Clients) -> Registry:
    assert clients
    return Registry("group")


def make_version(
    cloud: Cloud,
    *,
    served: str = "",
    endpoint: str = "endpoint",
    status: str = "Approved",
    at: Mapping[str, str] | None = None,
) -> str:
    """A version: for an endpoint, and served since a time, or since times at several endpoints."""
    facts = {VersionFact.ENDPOINT: endpoint, "metric:validation:rmse": "1027.9", "metric:odd": "n/a"}
    facts |= {VersionFact.SERVED: served or max((at or {}).values())} if served or at else {}
    properties = {str(name): value for name, value in facts.items()}
    properties |= {f"{SERVED_AT_FACT}{name}": since for name, since in (at or {}).items()}
    image = cloud.push_image(SERVE, name="server")
    return register(cloud, image, ModelApprovalStatus=status, CustomerMetadataProperties=properties)


def serve(cloud: Cloud, arn: str, endpoint: str = "endpoint") -> None:
    name = arn.rpartition("/")[2]
    cloud.call("CreateModel", ModelName=name, PrimaryContainer={"ModelPackageName": arn}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    cloud.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    cloud.call("CreateEndpoint", EndpointName=endpoint, EndpointConfigName=name)
    cloud.sagemaker.wait("Endpoint", endpoint)


def test_lists_versions_with_their_metrics_and_where_they_serve(cloud: Cloud, registry: Registry) -> None:
    serve(cloud, make_version(cloud))
    make_version(cloud, status="PendingManualApproval")

    second, first = registry.list_versions()

    assert (first.number, first.status, first.endpoints) == (1, "Approved", ("endpoint",))
    assert (second.number, second.status, second.endpoints) == (2, "PendingManualApproval", ())
    assert first.metrics == {"validation:rmse": 1027.9}
    assert [version.number for version in registry.list_versions(most=1)] == [2]
    await_status(cloud, "InService")


def test_finds_a_version_by_its_number_and_its_arn(cloud: Cloud, registry: Registry) -> None:
    arn = make_version(cloud)

    assert registry.find("1") == registry.find(arn)


@pytest.mark.parametrize("version", ["2", "one", "", "group/1", "arn:aws:sagemaker:::model-package/other/1"])
def test_says_which_versions_there_are(cloud: Cloud, registry: Registry, version: str) -> None:
    make_version(cloud)

    with pytest.raises(NoSuchVersionError, match=r"group has no version '.*'; it has: 1"):
        registry.find(version)


def test_says_that_there_is_no_registry(clients: Clients) -> None:
    assert clients

    with pytest.raises(NoSuchVersionError, match="there is no model package group absent: deploy the environment"):
        Registry("absent").list_versions()


def test_judges_a_version(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud, status="PendingManualApproval")

    registry.judge(registry.find("1"), REJECTED, "worse")

    assert (registry.find("1").status, registry.find("1").reason) == (REJECTED, "worse")


def test_goes_back_to_the_last_to_serve_of_those_made_before(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud, served="2026-11-01T00:00:00Z")
    make_version(cloud, served="2026-11-02T00:00:00Z")
    make_version(cloud)
    make_version(cloud, served="2026-11-04T00:00:00Z", status="Rejected")
    make_version(cloud, served="2026-11-05T00:00:00Z", endpoint="another")
    serve(cloud, make_version(cloud, served="2026-11-03T00:00:00Z"))
    make_version(cloud, served="2026-11-06T00:00:00Z")

    way = registry.find_earlier(None)

    assert (way.serving.number, way.earlier.number) == (6, 2)


def test_goes_back_to_what_has_served_at_that_endpoint_whatever_it_was_made_for(
    cloud: Cloud, registry: Registry
) -> None:
    make_version(cloud, at={"endpoint": "2026-11-01T00:00:00Z"})
    make_version(cloud, at={"trial": "2026-11-05T00:00:00Z"})
    make_version(cloud, at={"endpoint": "2026-11-02T00:00:00Z", "trial": "2026-11-06T00:00:00Z"}, endpoint="trial")
    serve(cloud, make_version(cloud, at={"endpoint": "2026-11-07T00:00:00Z"}))

    way = registry.find_earlier("Endpoint")

    assert (way.serving.number, way.earlier.number) == (4, 3)


def test_finds_versions_that_serve_at_an_endpoint_which_they_were_not_made_for(
    cloud: Cloud, registry: Registry
) -> None:
    make_version(cloud, at={"trial": "2026-11-01T00:00:00Z"})
    serve(cloud, make_version(cloud, at={"trial": "2026-11-02T00:00:00Z"}), "trial")

    way = registry.find_earlier(None)

    assert (way.serving.endpoints, way.earlier.number, way.endpoint) == (("trial",), 1, "trial")


def test_refuses_to_go_back_where_nothing_serves(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud)

    with pytest.raises(NothingToGoBackToError, match="no version of group serves or has served"):
        registry.find_earlier(None)
    with pytest.raises(NothingToGoBackToError, match="no version of group serves at endpoint or has served there"):
        registry.find_earlier("endpoint")


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_goes_back_from_what_served_before_the_endpoint_was_stopped(
    cloud: Cloud, registry: Registry, status: str
) -> None:
    make_version(cloud, served="2026-11-01T00:00:00Z")
    make_version(cloud, served="2026-11-02T00:00:00Z", status=status)
    make_version(cloud)

    way = registry.find_earlier(None)

    assert (way.serving.number, way.earlier.number) == (2, 1)


def test_asks_at_which_stopped_endpoint_to_go_back(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud, served="2026-11-01T00:00:00Z", endpoint="another")
    make_version(cloud, served="2026-11-02T00:00:00Z")

    with pytest.raises(NothingToGoBackToError, match="have served at another, endpoint; choose one with --endpoint"):
        registry.find_earlier(None)


def test_refuses_to_go_back_where_nothing_has_served_before(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud)
    serve(cloud, make_version(cloud))

    with pytest.raises(NothingToGoBackToError, match=r"none of the versions made before version 2 .* with --to"):
        registry.find_earlier(None)


def test_asks_at_which_endpoint_to_go_back(cloud: Cloud, registry: Registry) -> None:
    make_version(cloud, served="2026-11-01T00:00:00Z", endpoint="another")
    serve(cloud, make_version(cloud, endpoint="another"), "another")
    serve(cloud, make_version(cloud))

    with pytest.raises(NothingToGoBackToError, match="serve at another, endpoint; choose one with --endpoint"):
        registry.find_earlier(None)
    assert registry.find_earlier("another").earlier.number == 1


def approve_when_asked(clients: Clients, *inputs: Any) -> Callable[[], None]:
    """Waits by starting executions, one each time."""
    waiting = iter(inputs)

    def wait() -> None:
        clients.states.start_execution(input=json.dumps(next(waiting)))

    return wait


def test_finds_the_execution_that_an_approval_starts(cloud: Cloud, clients: Clients, registry: Registry) -> None:
    make_version(cloud)
    version = registry.find("1")
    clients.states.start_execution(input=json.dumps({"ModelPackageArn": version.arn}))
    starting = approve_when_asked(clients, {}, [], {"ModelPackageArn": "other"}, {"ModelPackageArn": version.arn})

    assert Deployments(MACHINE, starting).find_started(version, 60) == "arn:execution:4"


def test_says_that_no_execution_has_begun(cloud: Cloud, clients: Clients, registry: Registry) -> None:
    make_version(cloud)
    version = registry.find("1")

    with pytest.raises(NotStartedError, match=r"version 1 is approved, but no execution has begun .* within 0 s"):
        Deployments(MACHINE, approve_when_asked(clients, {})).find_started(version, 0)


def test_starts_an_execution_for_a_version(cloud: Cloud, clients: Clients, registry: Registry) -> None:
    arn = make_version(cloud)

    def start_at(endpoint: str) -> Any:
        return json.loads(clients.states.inputs[start_serving(MACHINE, registry.find("1"), endpoint)])

    started = start_serving(MACHINE, registry.find("1"))

    assert json.loads(clients.states.inputs[started]) == {"ModelPackageArn": arn}
    assert start_at("Endpoint") == {"ModelPackageArn": arn}
    assert start_at("trial") == {"ModelPackageArn": arn, "EndpointName": "trial"}
    assert registry.find("1").status == APPROVED
