"""What endpoints keep of their requests and answers: the configuration, who may write it, and how long it stays."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from stacks.settings.endpoint import EndpointSettings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_definition, template_of

CAPTURED = "captured/bigmart/"


def read_config(template: Template) -> dict[str, Any]:
    """The request for an endpoint configuration."""
    request: dict[str, Any] = read_definition(template.to_json())["States"]["Create Endpoint Config"]["Arguments"]
    return request


def list_days(template: Template) -> dict[str, int]:
    """After how many days each prefix of the work bucket expires."""
    (work,) = (b for name, b in template.find_resources("AWS::S3::Bucket").items() if name.startswith("Work"))
    rules = work["Properties"]["LifecycleConfiguration"]["Rules"]
    return {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}


def allows_writing() -> Any:
    """A policy by which the model's role may write what is captured, and nothing is said of reading it."""
    resource = {"Fn::Join": ["", [Match.any_value(), f"/{CAPTURED}*"]]}
    statement = Match.object_like({"Action": "s3:PutObject", "Effect": "Allow", "Resource": resource})
    return {"PolicyDocument": {"Statement": Match.array_with([statement])}}


def test_keeps_nothing_by_default() -> None:
    template = template_of("BigMart")

    assert "DataCaptureConfig" not in read_config(template)
    assert CAPTURED not in str(template.to_json())


def test_keeps_both_sides_as_text_where_they_are_text() -> None:
    config = read_config(template_of("BigMart", "guard"))["DataCaptureConfig"]

    place = config.pop("DestinationS3Uri")
    assert place.startswith("s3://<")
    assert place.endswith(f">/{CAPTURED}")
    assert config == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }


def test_lets_the_model_write_it_and_no_more() -> None:
    template = template_of("BigMart", "guard")

    template.has_resource_properties("AWS::IAM::Policy", allows_writing())
    reading = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if CAPTURED in str(statement) and "s3:GetObject" in str(statement["Action"])
    ]
    assert reading == []


def test_encrypts_it_with_the_customers_key() -> None:
    template = template_with("BigMart", "dev", {"encryption.customer_key": True, "bigmart.endpoint.capture": {}})

    assert "KmsKeyId" in read_config(template)["DataCaptureConfig"]


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, 90),
        ({"bigmart.endpoint.capture": {"days": 7}}, 7),
        ({"bigmart.endpoint.capture": {"days": 7}, "images.endpoint.capture": {"days": 30}}, 30),
    ],
)
def test_lets_it_expire_where_nothing_is_kept_any_more_too(changes: dict[str, Any], days: int) -> None:
    assert list_days(template_with("Storage", "dev", changes))["captured/"] == days


def test_refuses_it_for_serverless_endpoints() -> None:
    with pytest.raises(ValueError, match="capture: serverless endpoints keep no requests; set capture to null"):
        EndpointSettings.model_validate({"serverless": {}, "capture": {}})
