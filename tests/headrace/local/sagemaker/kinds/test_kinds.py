"""What holds for every kind of resource that there is, without a list of them."""

from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.kind import ResourceKind
from headrace.local.sagemaker.kinds import KINDS
from headrace.local.sagemaker.validation import load_service_model
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, serve

NAMED = [kind for kind in KINDS if issubclass(kind, ResourceKind)]


def test_serves_operations_of_the_api_only(cloud: Cloud) -> None:
    known = {
        name for service in ("sagemaker", "sagemaker-runtime") for name in load_service_model(service).operation_names
    }

    assert cloud.sagemaker.operations <= known


@pytest.mark.parametrize("kind", NAMED)
def test_lists_under_the_key_of_the_api(cloud: Cloud, kind: type[ResourceKind[Any]]) -> None:
    assert cloud.call(f"List{kind.name}s") == {kind.listed_as: []}


@pytest.mark.parametrize("kind", NAMED)
def test_refuses_to_wait_for_what_there_is_not(cloud: Cloud, kind: type[ResourceKind[Any]]) -> None:
    with pytest.raises(SageMakerError, match="ValidationException"):
        cloud.sagemaker.wait(kind.name, "absent")


def test_says_on_the_event_bus_how_jobs_end_and_how_endpoints_do(cloud: Cloud) -> None:
    cloud.process_to_end(cloud.push_image("raise SystemExit(3)"), Tags=[{"Key": "environment", "Value": "dev"}])
    serve(cloud)

    job, *endpoints = [(kind, detail) for kind, detail, _ in cloud.events]

    assert job[0] == "SageMaker Processing Job State Change"
    assert job[1]["ProcessingJobStatus"] == "Failed"
    assert "exit code: 3" in job[1]["FailureReason"]
    assert (job[1]["RoleArn"], job[1]["Tags"]) == (ROLE, {"environment": "dev"})
    assert job[1]["ProcessingEndTime"] >= job[1]["CreationTime"] > 1e12
    assert [(kind, detail["EndpointStatus"]) for kind, detail in endpoints] == [
        ("SageMaker Endpoint State Change", "IN_SERVICE")
    ]


def test_says_on_the_event_bus_that_an_endpoint_is_being_deleted(cloud: Cloud) -> None:
    serve(cloud)

    cloud.call("DeleteEndpoint", EndpointName="endpoint")

    kind, detail, _ = cloud.events[-1]
    assert (kind, detail["EndpointName"], detail["EndpointStatus"]) == (
        "SageMaker Endpoint State Change",
        "endpoint",
        "DELETING",
    )
