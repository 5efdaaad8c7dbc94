"""One text says where normalized images come from; without it, the deployed stacks do."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.images import addresses
from headrace.images.addresses import Address, DoorError, DoorKind, find_address, parse_address

URL = "https://abc.lambda-url.eu-west-1.on.aws/"
ARN = "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/training"
NORMALIZER, OBJECT_LAMBDA = "headrace-dev-normalizer", "headrace-dev-objectlambda"
Outputs = dict[str, dict[str, str]]


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(addresses.ADDRESS_VARIABLE, raising=False)


@pytest.fixture
def regions() -> list[str | None]:
    """Where stacks were looked for; None is the Region of the AWS clients."""
    return []


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch, regions: list[str | None]) -> Outputs:
    """The outputs of the stacks that are deployed; the normalizer always is."""
    outputs: Outputs = {NORMALIZER: {}}
    client: Any = boto3.client("cloudformation")

    def describe(*, StackName: str) -> Any:  # noqa: N803 (boto3's word)
        if StackName not in outputs:
            raise client.exceptions.ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        found = outputs[StackName].items()
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in found]}]}

    monkeypatch.setattr(client, "describe_stacks", describe)

    def make_client(_: str, *, region_name: str | None) -> Any:
        regions.append(region_name)
        return client

    monkeypatch.setattr(boto3, "client", make_client)
    return outputs


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (URL, Address(DoorKind.FUNCTION_URL, URL)),
        ("s3://training--ol-s3", Address(DoorKind.OBJECT_LAMBDA, "training--ol-s3")),
        (ARN, Address(DoorKind.OBJECT_LAMBDA, ARN)),
    ],
)
def test_understands_an_address(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_understands_a_folder(scheme: str, tmp_path: Path) -> None:
    assert parse_address(f"{scheme}{tmp_path}") == Address(DoorKind.FOLDER, str(tmp_path))


@pytest.mark.parametrize("text", ["", "ftp://a/b", "https://", "s3://bucket/prefix", "/no/such/folder"])
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(DoorError, match="use the function's URL"):
        parse_address(text)


def test_prefers_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(addresses.ADDRESS_VARIABLE, URL)

    assert find_address() == Address(DoorKind.FUNCTION_URL, URL)


def test_finds_the_function_url_of_the_stack(outputs: Outputs) -> None:
    outputs[NORMALIZER] = {"NormalizerUrl": URL}

    assert find_address(consumer="training") == Address(DoorKind.FUNCTION_URL, URL)


@pytest.mark.parametrize("stack", [OBJECT_LAMBDA, NORMALIZER])
def test_finds_the_consumers_object_lambda_access_point_wherever_it_stands(outputs: Outputs, stack: str) -> None:
    outputs[NORMALIZER] = {"NormalizerUrl": URL}
    outputs.setdefault(stack, {})["NormalizerAliasLabellingTeam"] = "labelling--ol-s3"

    assert find_address(consumer="labelling-team") == Address(DoorKind.OBJECT_LAMBDA, "labelling--ol-s3")


def test_looks_where_it_is_told_and_gives_an_address_that_leads_there(
    outputs: Outputs, regions: list[str | None]
) -> None:
    outputs[NORMALIZER] = {"NormalizerUrl": URL}
    outputs[OBJECT_LAMBDA] = {"NormalizerAliasTraining": "training--ol-s3", "NormalizerArnTraining": ARN}

    assert find_address(consumer="training", region="eu-west-3") == Address(DoorKind.OBJECT_LAMBDA, ARN)
    assert set(regions) == {"eu-west-3"}


def test_says_what_to_set_when_there_is_no_door(outputs: Outputs) -> None:
    with pytest.raises(DoorError, match=r"set normalizer\.function_url, or HEADRACE_IMAGES"):
        find_address()
