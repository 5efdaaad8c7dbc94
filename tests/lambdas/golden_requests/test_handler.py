"""The function asks every golden request, and reports to CloudWatch how many answers were wrong."""

import io
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

REQUEST = {"id": "juice", "content_type": "text/csv", "accept": "text/csv", "body": "FDW58", "expected": "1743.06"}


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, whose clients are made when it is imported."""
    for name, value in (
        ("GOLDEN_BUCKET", "raw"),
        ("GOLDEN_KEY", "golden/bigmart/requests.jsonl"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ):
        monkeypatch.setenv(name, value)
    from lambdas.golden_requests import handler as module

    return module


def stream(text: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(text), len(text))


def ask(handler: ModuleType, *answers: bytes | str) -> tuple[dict[str, Any], float]:
    """What the function answers and puts to CloudWatch; a text is the code of an error of the endpoint's."""
    lines = "\n".join(json.dumps({**REQUEST, "id": f"r{number}"}) for number in range(len(answers)))
    put: list[float] = []
    with Stubber(handler._S3) as s3, Stubber(handler._RUNTIME) as runtime, Stubber(handler._CLOUDWATCH) as cloudwatch:
        s3.add_response(
            "get_object",
            {"Body": stream(lines.encode())},
            {"Bucket": "raw", "Key": "golden/bigmart/requests.jsonl"},
        )
        for answer in answers:
            if isinstance(answer, str):
                runtime.add_client_error("invoke_endpoint", answer, "no model")
            else:
                runtime.add_response("invoke_endpoint", {"Body": stream(answer)})
        cloudwatch.add_response("put_metric_data", {})
        handler._CLOUDWATCH.meta.events.register_first(
            "provide-client-params.cloudwatch.PutMetricData",
            lambda params, **_: put.append(params["MetricData"][0]["Value"]),
        )
        return handler.handle({"EndpointName": "shop"}, None), put[0]


def test_finds_nothing_wrong_with_expected_answers(handler: ModuleType) -> None:
    assert ask(handler, b"1743.06\n", b"1743.06") == ({"Wrong": 0, "Reason": ""}, 0)


def test_counts_wrong_answers_and_errors_of_the_endpoint(handler: ModuleType) -> None:
    said, put = ask(handler, b"1743.06", b"5", "ModelError")

    assert (said["Wrong"], put) == (2, 2)
    assert said["Reason"].startswith(
        "2 of 3 golden requests are not answered as expected: r1 expected 1743.06, found 5"
    )
    assert "r2 got no prediction: " in said["Reason"]


def test_fails_when_the_requests_are_not_there(handler: ModuleType) -> None:
    with Stubber(handler._S3) as s3:
        s3.add_client_error("get_object", "NoSuchKey", "none")

        with pytest.raises(ClientError, match="NoSuchKey"):
            handler.handle({"EndpointName": "shop"}, None)
