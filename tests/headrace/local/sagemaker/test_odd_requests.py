"""Requests that no client library would send: the API's own errors answer them, never one of this machine's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.local.sagemaker import Patience
from headrace.local.sagemaker.validation import load_service_model
from tests.examples import count_examples
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, processing_request, s3_channel, training_request

OPERATIONS = sorted(Cloud(Path("never-used"), Patience()).sagemaker.operations - {"InvokeEndpoint"})
PLAUSIBLE = ["job", "s3://raw/x", "/opt/ml/processing/x", ROLE, "ml.m5.large", "(", "x=(.*)", "https://[", "s3://[/x"]
VALID = {
    "CreateTrainingJob": training_request("absent:1", InputDataConfig=[s3_channel("s3://raw/x")]),
    "CreateProcessingJob": processing_request("absent:1"),
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([1e300, -1e18, 10**400, "\ud800", "\0", "WzEsMl0=", "", "../..", "a" * 3000, [[]], {"a": None}]),
    st.lists(st.integers(), max_size=2),
)


def draw_value(draw: st.DrawFn, shape: Shape, depth: int = 0) -> Any:
    """A value that a shape may have, and now and then one that it may not."""
    if depth > 5 or (depth and draw(st.integers(0, 7)) == 0):
        return draw(ODD)
    if isinstance(shape, StructureShape):
        names = [name for name in shape.members if name in shape.required_members or draw(st.integers(0, 3)) == 0]
        return {name: draw_value(draw, shape.members[name], depth + 1) for name in names}
    if isinstance(shape, ListShape):
        return [draw_value(draw, shape.member, depth + 1) for _ in range(draw(st.integers(0, 2)))]
    if isinstance(shape, MapShape):
        return {
            key: draw_value(draw, shape.value, depth + 1) for key in draw(st.lists(st.text(max_size=5), max_size=2))
        }
    if shape.type_name == "string":
        return draw(st.sampled_from(shape.metadata.get("enum") or PLAUSIBLE))
    return draw(st.one_of(st.booleans(), st.integers(0, 10), st.floats()))


def draw_mutation(draw: st.DrawFn, value: Any) -> Any:
    """A request with single values replaced or left out."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ODD)
    if isinstance(value, dict):
        return {name: draw_mutation(draw, member) for name, member in value.items() if draw(st.integers(0, 15))}
    return [draw_mutation(draw, member) for member in value] if isinstance(value, list) else value


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Any]:
    """Operations with requests."""
    operation = draw(st.sampled_from(OPERATIONS))
    base = VALID.get(operation)
    if base and draw(st.booleans()):
        return operation, draw_mutation(draw, base)
    shape = load_service_model("sagemaker").operation_model(operation).input_shape
    return operation, draw_value(draw, shape)


@pytest.fixture(scope="module")
def busy_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A control plane with a resource of the name that requests are likely to name."""
    cloud = Cloud(tmp_path_factory.mktemp("odd"), Patience(close_seconds=0.1))
    image = cloud.push_image("pass")
    cloud.train_to_end(image)
    cloud.process_to_end(image)
    cloud.call("CreateModel", ModelName="job", PrimaryContainer={"Image": image})
    cloud.registry.images.clear()
    yield cloud
    cloud.sagemaker.close()


def ask(cloud: Cloud, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    status, _, content = cloud.sagemaker.handle_http("POST", "/", {"X-Amz-Target": f"SageMaker.{operation}"}, body)
    return status, json.loads(content or b"{}")


@settings(max_examples=count_examples(300))
@given(request=requests())
def test_answers_any_request_with_a_success_or_an_error_of_the_client(
    busy_cloud: Cloud, request: tuple[str, Any]
) -> None:
    operation, content = request

    status, _ = ask(busy_cloud, operation, json.dumps(content).encode())

    assert status in {200, 400}


@settings(max_examples=count_examples(100))
@given(body=st.one_of(st.binary(max_size=50), st.text(max_size=50).map(str.encode)))
def test_answers_any_body_with_a_success_or_an_error_of_the_client(busy_cloud: Cloud, body: bytes) -> None:
    assert ask(busy_cloud, "ListModels", body)[0] in {200, 400}


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("ListTrainingJobs", b'{"CreationTimeAfter": 1e300}', "ValidationException"),
        ("ListTrainingJobs", b'{"CreationTimeAfter": -1e18}', "ValidationException"),
        ("ListTrainingJobs", b'{"CreationTimeAfter": NaN}', "ValidationException"),
        ("DescribeModel", b'{"ModelName": "\\ud800"}', "SerializationException"),
        ("DescribeModel", b'{"ModelName": ' + b"[" * 100_000, "SerializationException"),
        ("DescribeModel", b'{"ModelName": ' + b"9" * 5000 + b"}", "SerializationException"),
    ],
)
def test_names_the_fault_of_an_odd_body(busy_cloud: Cloud, operation: str, body: bytes, code: str) -> None:
    status, answer = ask(busy_cloud, operation, body)

    assert (status, answer["__type"]) == (400, code)


def test_refuses_an_address_that_is_none(cloud: Cloud) -> None:
    output = {"S3OutputPath": "https://[bucket/x"}
    request = training_request(cloud.push_image("pass"), OutputDataConfig=output)

    status, answer = ask(cloud, "CreateTrainingJob", json.dumps(request).encode())

    assert (status, answer["__type"]) == (400, "ValidationException")
    assert "'https://[bucket/x' is not an address in S3" in answer["message"]


def test_a_job_fails_with_the_reason_when_its_environment_cannot_be_passed_on(cloud: Cloud) -> None:
    job = cloud.process_to_end(cloud.push_image("pass"), Environment={"KEY": "a\0b"})

    assert job["FailureReason"] == ("AlgorithmError: the container's program could not be started: embedded null byte")
