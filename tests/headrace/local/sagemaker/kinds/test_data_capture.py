import base64
import json
import re
from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, await_status, make_config

pytestmark = pytest.mark.slow

BOTH = ({"CaptureMode": "Input"}, {"CaptureMode": "Output"})
AS_TEXT = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def capture(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    """An endpoint in service that keeps its requests; its description."""
    make_config(cloud, "model", cloud.push_image(SERVE, name="server"))
    variant = {"VariantName": "one", "ModelName": "model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    config = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://work/captured",
        "CaptureOptions": list(BOTH),
        "CaptureContentTypeHeader": AS_TEXT,
        **changes,
    }
    cloud.call(
        "CreateEndpointConfig", EndpointConfigName="keeping", ProductionVariants=[variant], DataCaptureConfig=config
    )
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="keeping")
    return await_status(cloud, "InService")


def ask(cloud: Cloud, body: bytes, content_type: str = "text/csv", **request: Any) -> None:
    cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=body, ContentType=content_type, **request)


def read_captured(cloud: Cloud) -> list[dict[str, Any]]:
    """What was kept, once the endpoint is gone."""
    cloud.call("DeleteEndpoint", EndpointName="endpoint")
    cloud.sagemaker.close()
    bodies = [cloud.s3.buckets["work"][key] for key in cloud.s3.keys("work") if key.startswith("captured")]
    return [json.loads(line) for body in bodies for line in body.decode().splitlines()]


def test_keeps_what_was_asked_and_answered_as_sagemaker_writes_it(cloud: Cloud) -> None:
    capture(cloud)
    ask(cloud, b"1,2", InferenceId="row-7")

    (line,) = read_captured(cloud)

    metadata = line["eventMetadata"]
    assert line["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": {
            "observedContentType": "text/csv",
            "mode": "OUTPUT",
            "data": "model:1,2:text/csv",
            "encoding": "CSV",
        },
    }
    assert (metadata["inferenceId"], line["eventVersion"]) == ("row-7", "0")
    assert re.fullmatch(
        r"[0-9a-f-]{36} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", f"{metadata['eventId']} {metadata['inferenceTime']}"
    )


def test_files_are_named_by_endpoint_variant_and_hour(cloud: Cloud) -> None:
    capture(cloud)
    ask(cloud, b"1")
    read_captured(cloud)

    keys = [key for key in cloud.s3.keys("work") if key.startswith("captured")]

    assert len(keys) == 1
    assert re.fullmatch(r"captured/endpoint/one/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", keys[0])


@pytest.mark.parametrize(
    ("content_type", "data", "encoding"),
    [
        ("text/csv; charset=utf-8", "[1]", "CSV"),
        ("application/json", "[1]", "JSON"),
        ("application/x-npy", base64.b64encode(b"[1]").decode(), "BASE64"),
    ],
)
def test_keeps_as_text_what_the_configuration_names(cloud: Cloud, content_type: str, data: str, encoding: str) -> None:
    capture(cloud)
    ask(cloud, b"[1]", content_type)

    (line,) = read_captured(cloud)

    assert line["captureData"]["endpointInput"] == {
        "observedContentType": content_type,
        "mode": "INPUT",
        "data": data,
        "encoding": encoding,
    }


def test_keeps_the_sides_that_are_wanted(cloud: Cloud) -> None:
    capture(cloud, CaptureOptions=[{"CaptureMode": "Output"}])
    ask(cloud, b"1")

    assert [[*line["captureData"]] for line in read_captured(cloud)] == [["endpointOutput"]]


def test_keeps_the_share_that_is_wanted(cloud: Cloud) -> None:
    capture(cloud, InitialSamplingPercentage=25)
    for number in range(8):
        ask(cloud, str(number).encode())

    assert len(read_captured(cloud)) == 2


def test_keeps_nothing_when_it_is_off(cloud: Cloud) -> None:
    endpoint = capture(cloud, EnableCapture=False)
    ask(cloud, b"1")

    assert read_captured(cloud) == []
    assert (endpoint["DataCaptureConfig"]["EnableCapture"], endpoint["DataCaptureConfig"]["CaptureStatus"]) == (
        False,
        "Stopped",
    )


def test_keeps_no_request_that_failed(cloud: Cloud) -> None:
    capture(cloud)
    with pytest.raises(SageMakerError):
        ask(cloud, b"refuse")

    assert read_captured(cloud) == []


def test_describes_what_it_keeps(cloud: Cloud) -> None:
    assert capture(cloud)["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://work/captured",
        "KmsKeyId": "",
    }


def test_answers_where_nothing_can_be_kept(cloud: Cloud) -> None:
    capture(cloud, DestinationS3Uri="s3://gone/captured")

    ask(cloud, b"1")

    assert read_captured(cloud) == []
