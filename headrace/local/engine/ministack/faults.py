"""Faults on purpose in MiniStack's services: in what clients ask for, and in the tasks of state machines."""

import importlib
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from headrace.local.engine.asl.failures import TIMEOUT
from headrace.local.engine.operations import UncertainRequestError, read_operation
from headrace.local.engine.refusals import find_wire_format, write_error
from headrace.local.engine.signatures import SentRequest
from headrace.local.faults import Effect, Fault, Faults, list_texts, name_model
from headrace.local.sagemaker.validation import load_service_model

# `arn:aws:states:::lambda:invoke`, `arn:aws:states:::aws-sdk:s3:putObject`
_TASK: Final = re.compile(r"arn:aws:states:::(?P<sdk>aws-sdk:)?(?P<service>[^:]+):(?P<action>[A-Za-z0-9]+)")
# SageMaker's control plane meets its own, for tasks and clients alike.
_MET_ELSEWHERE: Final = "sagemaker"
# What no service answers, and Step Functions says of a call that got no answer.
_OF_STEP_FUNCTIONS: Final = ("SdkClientException", TIMEOUT)


def install_faults(faults: Faults) -> None:
    """Teach MiniStack to do wrong what it is told to."""
    app: Any = importlib.import_module("ministack.app")
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    app._dispatch_service_request = _meet_in_requests(faults, app._dispatch_service_request)
    states._invoke_resource = _meet_in_tasks(faults, states, states._invoke_resource)


def _meet_in_requests(faults: Faults, dispatch: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any, request_id: str) -> Any:
        request = SentRequest(method=method, path=path, query=query, headers=dict(headers), body=body)
        fault = _take_request(faults, request) if faults.are_waiting else None
        if fault is None:
            return await dispatch(method, path, headers, body, query, request_id)
        if fault.effect is Effect.LOST:
            await dispatch(method, path, headers, body, query, request_id)
        return write_error(find_wire_format(request), *fault.describe_error())

    return run


def _take_request(faults: Faults, request: SentRequest) -> Fault | None:
    try:
        operation = read_operation(request)
    except UncertainRequestError:
        return None
    if operation.service.startswith(_MET_ELSEWHERE):
        return None
    return faults.take_call(operation.service, operation.name, _list_texts(request))


def _list_texts(request: SentRequest) -> Iterator[str]:
    """What names something in a request: its path, the parts of it, and the values of its query and its body."""
    path = unquote(request.path).strip("/")
    yield from (path, *path.split("/"), path.partition("/")[2])
    yield from list_texts(request.query)
    try:
        sent = request.body.decode()
        yield from list_texts(json.loads(sent) if sent.startswith("{") else parse_qs(sent))
    except ValueError:
        return


def _meet_in_tasks(faults: Faults, states: Any, invoke: Callable[..., Any]) -> Callable[..., Any]:
    def run(resource: str, arguments: Any, *rest: Any) -> Any:
        task = _TASK.match(resource)
        if not faults.are_waiting or not task or task["service"] == _MET_ELSEWHERE:
            return invoke(resource, arguments, *rest)
        operation = task["action"][0].upper() + task["action"][1:]
        given = arguments if isinstance(arguments, Mapping) else {}
        fault = faults.take_call(task["service"], operation, given)
        if fault is None or fault.effect is Effect.LOST:
            result = invoke(resource, arguments, *rest)
            if fault is None:
                return result
        code, message, _ = fault.describe_error()
        name = _name_sdk_error if task["sdk"] else _name_optimized_error
        raise states._ExecutionError(name(states, task["service"], code), message)

    return run


def _name_sdk_error(states: Any, service: str, code: str) -> str:
    """The SDK for Java has classes for the modelled errors, and one of the service's name for all others."""
    if code in _OF_STEP_FUNCTIONS:
        return str(states._prefix_sdk_error(service, code))
    if load_service_model(name_model(service)).shape_for_error_code(code) is None:
        prefix = states._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
        return f"{prefix}.{prefix}Exception"
    return str(states._prefix_sdk_error(service, code if code.endswith("Exception") else f"{code}Exception"))


def _name_optimized_error(states: Any, service: str, code: str) -> str:  # noqa: ARG001 (of the same shape)
    if code == TIMEOUT:
        return code
    if service == "lambda" and code == "AccessDeniedException":
        return "Lambda.AWSLambdaException"
    return f"{service.upper() if service in ('sns', 'sqs') else service.capitalize()}.{code}"
