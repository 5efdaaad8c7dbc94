"""What InvokeEndpoint carries to a container and back: every header of the API's model, and the body as it is."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import botocore.session
import pytest

from headrace.local.sagemaker.control_plane import check_runtime_request
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.invocations import check_target, invoke
from headrace.local.sagemaker.wire import answer_invocation

MODEL = botocore.session.get_session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpoint")


def list_headers(shape: Any) -> dict[str, str]:
    members = shape.members.items()
    return {
        name: member.serialization["name"]
        for name, member in members
        if member.serialization.get("location") == "header"
    }


@pytest.fixture(scope="module")
def container() -> Iterator[HTTPServer]:
    """Answers with a JSON body and every header of an answer, and remembers what it was asked with."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked = dict(self.headers.items())  # type: ignore[attr-defined]
            self.send_response(200)
            for name, header in list_headers(MODEL.output_shape).items():
                self.send_header(header, f"of {name}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_carries_every_header_and_the_body_as_they_are(container: HTTPServer) -> None:
    given = {name: f"of-{name}" for name in list_headers(MODEL.input_shape)} | {
        "ContentType": "application/json; charset=utf-8",
        "Accept": "application/jsonlines, */*;q=0.1",
    }

    answer = invoke(container.server_port, {"Body": b'{"a": \xff}', **given}, "AllTraffic", 5)

    asked = {name.lower(): value for name, value in container.asked.items()}  # type: ignore[attr-defined]
    assert {name: asked.get(header.lower()) for name, header in list_headers(MODEL.input_shape).items()} == given
    assert answer == {
        "Body": b'{"a": \xff}',
        **{name: f"of {name}" for name in list_headers(MODEL.output_shape)},
        "InvokedProductionVariant": "AllTraffic",
    }


def test_adds_no_content_type_that_the_caller_has_not_given(container: HTTPServer) -> None:
    invoke(container.server_port, {"Body": b"x"}, "AllTraffic", 5)

    asked = {name.lower() for name in container.asked}  # type: ignore[attr-defined]
    assert not {"content-type", "accept"} & asked


def test_writes_every_member_of_an_answer_into_its_header() -> None:
    members = {name: f"of {name}" for name in list_headers(MODEL.output_shape)}

    status, headers, body = answer_invocation(lambda *_: {"Body": b"x", **members}, "endpoint", {}, b"")

    assert (status, body) == (200, b"x")
    assert {name: headers[header] for name, header in list_headers(MODEL.output_shape).items()} == members


def test_says_of_bytes_without_a_type_what_aws_says() -> None:
    _, headers, _ = answer_invocation(lambda *_: {"Body": b"", "InvokedProductionVariant": "a"}, "endpoint", {}, b"")

    assert headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"TargetVariant": "Shadow"}, "TargetVariant: the endpoint has no variant Shadow; it has AllTraffic."),
        ({"TargetModel": "a.tar.gz"}, "TargetModel: the endpoint is not one of many models"),
        ({"TargetContainerHostname": "second"}, "TargetContainerHostname: the endpoint is not one of several"),
        ({"InferenceComponentName": "part"}, "InferenceComponentName: the endpoint is not one of inference components"),
    ],
)
def test_refuses_what_names_a_part_that_there_is_not(request_: dict[str, str], said: str) -> None:
    with pytest.raises(SageMakerError) as refused:
        check_target(request_, "AllTraffic")

    assert (refused.value.code, refused.value.status) == ("ValidationError", 400)
    assert refused.value.message.startswith(said)


def test_takes_the_variant_that_there_is() -> None:
    check_target({"TargetVariant": "AllTraffic"}, "AllTraffic")


@pytest.mark.parametrize(
    "broken",
    [
        {"CustomAttributes": "é"},
        {"CustomAttributes": "x" * 1025},
        {"InferenceId": ""},
        {"InferenceId": " x"},
        {"InferenceId": "x" * 65},
        {"Accept": "x" * 1025},
        {"TargetVariant": "-x"},
        {"Body": b"x" * (6_291_456 + 1)},
    ],
    ids=lambda broken: str(broken)[:40],
)
def test_refuses_what_the_model_of_the_api_refuses(broken: dict[str, Any]) -> None:
    with pytest.raises(SageMakerError) as refused:
        check_runtime_request("InvokeEndpoint", {"EndpointName": "e", "Body": b"", **broken})

    assert refused.value.code == "ValidationError"
