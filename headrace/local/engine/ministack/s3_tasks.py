"""Tasks that call S3: MiniStack's Step Functions knows few of its operations, and none that reads or writes objects."""

import importlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from headrace.local.engine.asl.documents import write_timestamp
from headrace.local.sagemaker.validation import load_service_model

_S3: Final = "s3"
_PROTOCOL: Final = "rest-xml"
_SIGNED: Final = "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/s3/aws4_request"
# Step Functions names an error by the class that the SDK for Java has for it, and has none for most codes of S3.
_UNNAMED: Final = "S3.S3Exception"


def install_s3_tasks() -> None:
    """Teach MiniStack's Step Functions every operation of S3, and how Step Functions names its errors."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    states._dispatch_aws_sdk_rest_xml = _take_s3(S3Tasks(states), states._dispatch_aws_sdk_rest_xml)


class S3Tasks:
    """Step Functions' `aws-sdk:s3:OPERATION`.

    Args:
        states: MiniStack's Step Functions.
    """

    def __init__(self, states: Any) -> None:
        self._states = states
        self._model = load_service_model(_S3)
        self._serializer = create_serializer(_PROTOCOL, include_validation=False)
        self._parser = create_parser(_PROTOCOL)

    def run(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Run one task on the thread of its execution."""
        if operation not in self._model.operation_names:
            raise self._states._ExecutionError("States.Runtime", f"S3 has no operation {operation}")
        model = self._model.operation_model(operation)
        self._check_names(operation, arguments, model.input_shape)
        request = self._states._sdk_json_param_value(dict(arguments), model.input_shape)
        if isinstance(request.get("Body"), Mapping | list):
            request["Body"] = json.dumps(request["Body"])
        status, headers, body = self._send(self._serializer.serialize_to_request(request, model))
        answer = {"status_code": status, "headers": HeadersDict(headers), "body": body}
        parsed = self._parser.parse(answer, model.output_shape)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._name_error(status, parsed)
        parsed.pop("ResponseMetadata", None)
        return _spell(self._states._sdk_json_value(parsed, model.output_shape))

    def _check_names(self, operation: str, arguments: Mapping[str, Any], shape: Any) -> None:
        """Step Functions refuses to make a state machine with such a task; here, it fails."""
        known = {self._states._api_name_to_sfn_key(name) for name in shape.members} | set(shape.members)
        if unknown := sorted(set(arguments) - known):
            raise self._states._ExecutionError("States.Runtime", f"s3:{operation} has no argument {unknown[0]}")

    def _send(self, made: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        app: Any = importlib.import_module("ministack.app")
        path, _, fixed = made["url_path"].partition("?")
        query = dict(parse_qsl(fixed, keep_blank_values=True)) | {
            name: str(value) for name, value in dict(made["query_string"]).items()
        }
        headers = {
            "host": "s3.amazonaws.com",
            "authorization": _SIGNED.format(region=self._states.get_region()),
            **{name.lower(): str(value) for name, value in made["headers"].items()},
        }
        body = made["body"]
        sent = body.encode() if isinstance(body, str) else bytes(body or b"")
        status, found, content = app.call_service_handler_sync(
            app.SERVICE_HANDLERS[_S3], made["method"], unquote(path), headers, sent, query
        )
        return status, found or {}, content.encode() if isinstance(content, str) else content or b""

    def _name_error(self, status: int, parsed: Mapping[str, Any]) -> Exception:
        error = parsed.get("Error", {})
        is_known = self._model.shape_for_error_code(error.get("Code", "")) is not None
        name = f"S3.{error['Code']}Exception" if is_known else _UNNAMED
        said = f"{error.get('Message') or HTTPStatus(status).phrase} (Service: S3, Status Code: {status})"
        failure: Exception = self._states._ExecutionError(name, said)
        return failure


def _take_s3(tasks: S3Tasks, dispatch: Callable[..., Any]) -> Callable[..., Any]:
    def run(service_info: Mapping[str, Any], service_name: str, action: str, input_data: Any) -> Any:
        if service_name != _S3:
            return dispatch(service_info, service_name, action, input_data)
        return tasks.run(action[:1].upper() + action[1:], input_data or {})

    return run


def _spell(value: Any) -> Any:
    """What of an answer is not JSON, as Step Functions writes it: a body as its text, a moment in ISO 8601."""
    if isinstance(value, Mapping):
        return {name: _spell(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_spell(part) for part in value]
    if isinstance(value, datetime):
        return write_timestamp(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else value
