"""Requests to endpoints, carried to the serving process and back."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import StructureShape

from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.validation import load_service_model
from headrace.loopback import LOOPBACK

TIMEOUT_MESSAGE = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
CLOSED_MESSAGE = "The container primary closed the connection without a complete response."
# What a request may name at an endpoint of another kind, by the member.
_TARGETS_OF_OTHERS = {
    "TargetModel": "many models",
    "TargetContainerHostname": "several containers",
    "InferenceComponentName": "inference components",
}


@dataclass(frozen=True)
class Answer:
    """What a container answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def list_request_headers() -> dict[str, str]:
    """The header of each member of InvokeEndpoint's request that travels in one."""
    return _list_headers(load_service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape)


def list_answer_headers() -> dict[str, str]:
    """The header of each member of InvokeEndpoint's answer that travels in one."""
    return _list_headers(load_service_model("sagemaker-runtime").operation_model("InvokeEndpoint").output_shape)


def _list_headers(shape: StructureShape) -> dict[str, str]:
    return {
        name: member.serialization["name"]
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    }


def check_target(request: Mapping[str, Any], variant: str) -> None:
    """Refuse what names a part that an endpoint of one variant with one container does not have.

    AWS refuses it, too; the words are the local cloud's.

    Args:
        request: InvokeEndpoint's.
        variant: The endpoint's variant.

    Raises:
        SageMakerError: Naming the member.
    """
    if request.get("TargetVariant", variant) != variant:
        raise SageMakerError(
            "ValidationError",
            f"TargetVariant: the endpoint has no variant {request['TargetVariant']}; it has {variant}.",
        )
    for name, kind in _TARGETS_OF_OTHERS.items():
        if name in request:
            raise SageMakerError("ValidationError", f"{name}: the endpoint is not one of {kind}; leave it out.")


def send_to_container(port: int, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
    """POST /invocations; raises SageMakerError (ModelError) when no answer comes."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_seconds)
    try:
        connection.request("POST", "/invocations", body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers.items()), response.read())
    except TimeoutError as error:
        raise describe_model_error(0, TIMEOUT_MESSAGE) from error
    except (OSError, http.client.HTTPException) as error:
        raise describe_model_error(0, CLOSED_MESSAGE) from error
    finally:
        connection.close()


def describe_model_error(status: int, message: str) -> SageMakerError:
    """The ModelError for a container's answer that is not a success."""
    party = "client" if 400 <= status < 500 else "server"
    return SageMakerError(
        "ModelError",
        f'Received {party} error ({status}) from primary with message "{message}".',
        424,
        details={"OriginalStatusCode": status, "OriginalMessage": message},
    )


def invoke(port: int, request: Mapping[str, Any], variant: str, timeout_seconds: float) -> dict[str, Any]:
    """InvokeEndpoint of the API, for a deployment that listens on a port."""
    headers = {header: request[name] for name, header in list_request_headers().items() if name in request}
    body = request.get("Body", b"")
    answer = send_to_container(port, body.encode() if isinstance(body, str) else body, headers, timeout_seconds)
    if not 200 <= answer.status < 300:
        raise describe_model_error(answer.status, answer.body.decode("utf-8", errors="replace"))
    response: dict[str, Any] = {"Body": answer.body, "InvokedProductionVariant": variant}
    given = {name.lower(): value for name, value in answer.headers.items()}
    # Which variant it was is not the container's to say.
    return {
        name: given[header.lower()] for name, header in list_answer_headers().items() if header.lower() in given
    } | response
