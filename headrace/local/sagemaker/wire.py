"""SageMaker's protocols on the wire: JSON 1.1 for the control plane, plain HTTP for the runtime."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.invocations import list_answer_headers, list_request_headers

TARGET_PREFIX = "SageMaker."
JSON_TYPE = "application/x-amz-json-1.1"
INVOCATION_PATH = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/invocations")

HttpAnswer = tuple[int, dict[str, str], bytes]
Call = Callable[[str, dict[str, Any]], dict[str, Any]]


def answer_http(call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
    """Answers one HTTP request with what a call gives, or with its error as SageMaker writes it."""
    given = {name.lower(): value for name, value in headers.items()}
    invocation = INVOCATION_PATH.fullmatch(urlsplit(path).path)
    try:
        if invocation and method == "POST":
            return answer_invocation(call, unquote(invocation["endpoint"]), given, body)
        if not given.get("x-amz-target", "").startswith(TARGET_PREFIX):
            raise SageMakerError("UnknownOperationException", f"The local cloud does not serve {method} {path}.", 404)
        return answer_operation(call, given["x-amz-target"].removeprefix(TARGET_PREFIX), body)
    except SageMakerError as error:
        return write_error(error)
    except RecursionError:
        return write_error(SageMakerError("SerializationException", "The request's body is nested too deeply."))


def answer_operation(call: Call, operation: str, body: bytes) -> HttpAnswer:
    """Answers an operation of the control plane."""
    response = call(operation, read_json(body))
    content = json.dumps(response, default=write_timestamp).encode() if response else b""
    return 200, {"Content-Type": JSON_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}, content


def answer_invocation(call: Call, endpoint: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
    """Answers InvokeEndpoint, whose body travels as it is."""
    request: dict[str, Any] = {"EndpointName": endpoint, "Body": body}
    request |= {
        name: headers[header.lower()] for name, header in list_request_headers().items() if header.lower() in headers
    }
    response = call("InvokeEndpoint", request)
    answered = {header: response[name] for name, header in list_answer_headers().items() if name in response}
    answered.setdefault("Content-Type", "application/octet-stream")
    return 200, {"x-amzn-RequestId": str(uuid.uuid4()), **answered}, response["Body"]


def read_json(body: bytes) -> dict[str, Any]:
    """A request's JSON object; raises SageMakerError for anything else."""
    try:
        request = json.loads(body or b"{}")
        # Half a character may be escaped in JSON, but no text can hold it.
        json.dumps(request, ensure_ascii=False).encode()
    except ValueError as error:
        raise SageMakerError("SerializationException", f"The request's body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise SageMakerError("SerializationException", "The request's body is not a JSON object.")
    return request


def write_timestamp(value: Any) -> float:
    """A time as JSON 1.1 has it: seconds since 1970."""
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no place in an answer of the API")
    return value.timestamp()


def write_error(error: SageMakerError) -> HttpAnswer:
    """An error as both protocols carry it."""
    content = {"__type": error.code, "message": error.message, **error.details}
    headers = {"Content-Type": JSON_TYPE, "x-amzn-errortype": error.code, "x-amzn-RequestId": str(uuid.uuid4())}
    return error.status, headers, json.dumps(content).encode()
