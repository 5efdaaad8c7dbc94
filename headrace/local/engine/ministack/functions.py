"""What MiniStack's Lambda is taught: addresses, whole events, a key for each function, and turns."""

import importlib
import importlib.metadata
import logging
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from headrace.local.clock import CLOCK
from headrace.local.engine.access.needs import list_logging_needs
from headrace.local.engine.cloud import HOST
from headrace.local.engine.ministack.access import Access, DeniedError
from headrace.local.engine.ministack.cloudformation import Provision
from headrace.local.engine.resources import Attributes
from headrace.local.engine.roles import write_environment

logger = logging.getLogger(__name__)

# How many functions run at the same time; further requests wait.
FUNCTIONS_AT_ONCE = 4


FUNCTION_URL = "AWS::Lambda::Url"
_UNNAMED: Final = "Runtime.HandlerError"
# How a traceback ends, without the message.
_RAISED: Final = re.compile(r"(?:^|\n)(?:[\w<>]+\.)*(?P<name>[^\n:]+)(?:: ?)?$")


def install_functions(port: int, access: Access, quota: int | None = None) -> None:
    """Teach MiniStack function URLs that lead here, events as complete as AWS's, and many requests at once.

    Args:
        port: Where this server listens.
        access: The account's IAM.
        quota: How many requests at once all functions of the account may serve; any number where left out.
    """
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS

    handlers[FUNCTION_URL] = _lead_here(handlers[FUNCTION_URL], port)
    functions._build_function_url_event = _keep_path_encoded(functions._build_function_url_event)
    object_lambda.handle_request = _keep_query(object_lambda.handle_request)
    functions._execute_function_warm = _name_errors(functions._execute_function_warm)
    functions._execute_function = _take_turns(functions._execute_function, threading.Semaphore(FUNCTIONS_AT_ONCE))
    if quota is not None:
        functions._execute_function = _throttle(functions, threading.BoundedSemaphore(quota) if quota else None)
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions.execution_credentials = runtime.execution_credentials = _give_sessions(access)


def _give_sessions(access: Access) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """The credentials in the environment of a function.

    MiniStack would give it the number of the account, which opens nothing here.
    """

    def give(config: Mapping[str, Any]) -> dict[str, str]:
        name = config["FunctionArn"].split(":")[6]
        key = access.open_session(config.get("Role", ""), name)
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
        try:
            access.check(key.key_id, list_logging_needs(group))
        except DeniedError as error:
            # On AWS such a function runs, and its log stays empty.
            logger.warning("function_may_not_log function=%s error=%s", name, error)
        return dict(write_environment(key))

    return give


def _lead_here(handlers: dict[str, Any], port: int) -> dict[str, Any]:
    """The name in MiniStack's own function URLs is not known outside it; a path of this server means the same."""

    def lead_here(provision: Provision) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            resource_id, attributes = provision(*arguments)
            url_id = urlsplit(attributes["FunctionUrl"]).netloc.partition(".")[0]
            return resource_id, {**attributes, "FunctionUrl": f"http://{HOST}:{port}/_aws/lambda-url/{url_id}/"}

        return run

    return {**handlers, "create": lead_here(handlers["create"]), "update": lead_here(handlers["update"])}


def _keep_path_encoded(build_event: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """On AWS, a function URL's event has the path as it was sent: https://github.com/hotsock/voker/pull/8."""

    def build(*arguments: Any, **options: Any) -> dict[str, Any]:
        event = build_event(*arguments, **options)
        return {**event, "rawPath": quote(event["rawPath"])}

    return build


def _keep_query(handle: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """On AWS, an Object Lambda event has the caller's whole address; MiniStack leaves out an alias's query."""

    async def handle_with_query(*arguments: Any) -> Any:
        *others, query, url = arguments
        told = url if "?" in url or not query else f"{url}?{urlencode(query, doseq=True)}"
        return await handle(*others, query, told)

    return handle_with_query


def _throttle(functions: Any, places: threading.Semaphore | None) -> Callable[..., Any]:
    """AWS turns away what has no place; requests that wait for their turn here would run there."""
    execute = functions._execute_function

    def run(*arguments: Any) -> Any:
        if places is None or not places.acquire(blocking=False):
            return functions._throttle_response("ConcurrentInvocationLimitExceeded", "Rate Exceeded.")
        try:
            return execute(*arguments)
        finally:
            places.release()

    return run


def _name_errors(execute: Callable[..., Any]) -> Callable[..., Any]:
    """On AWS, a function's error has the name of what it raised; MiniStack keeps that in the log alone."""

    def run(*arguments: Any) -> Any:
        answer = execute(*arguments)
        body = answer.get("body")
        if not answer.get("error") or not isinstance(body, dict) or body.get("errorType") != _UNNAMED:
            return answer
        trace = str(answer.get("log", "")).rstrip().removesuffix(body.get("errorMessage", "").rstrip())
        found = _RAISED.search(trace)
        return {**answer, "body": {**body, "errorType": found["name"]}} if found else answer

    return run


def _take_turns(execute: Callable[..., Any], turns: threading.Semaphore) -> Callable[..., Any]:
    """A process per waiting request would take the machine's memory; AWS has room for a thousand at once."""

    def run(*arguments: Any) -> Any:
        with CLOCK.working(), turns:
            return execute(*arguments)

    return run
