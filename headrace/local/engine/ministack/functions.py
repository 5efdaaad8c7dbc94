"""What MiniStack's Lambda is taught: addresses, whole events, a key for each function, and turns."""

import importlib
import importlib.metadata
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from headrace.local.engine.cloud import HOST
from headrace.local.engine.credentials import AccessKey, make_key
from headrace.local.engine.ministack.cloudformation import Provision
from headrace.local.engine.resources import Attributes

# How many functions run at the same time; further requests wait.
FUNCTIONS_AT_ONCE = 4


FUNCTION_URL = "AWS::Lambda::Url"


def install_functions(port: int) -> None:
    """Teach MiniStack function URLs that lead here, events as complete as AWS's, and many requests at once."""
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS

    handlers[FUNCTION_URL] = _lead_here(handlers[FUNCTION_URL], port)
    functions._build_function_url_event = _keep_path_encoded(functions._build_function_url_event)
    object_lambda.handle_request = _keep_query(object_lambda.handle_request)
    functions._execute_function = _take_turns(functions._execute_function, threading.Semaphore(FUNCTIONS_AT_ONCE))
    sessions = FunctionSessions()
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions.execution_credentials = runtime.execution_credentials = sessions.give


class FunctionSessions:
    """The temporary keys that functions call with, one for each function and role.

    MiniStack would give them the number of the account, which opens nothing here.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], AccessKey] = {}

    def give(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The credentials in the environment of a function."""
        function, role = config["FunctionArn"], config.get("Role", "")
        key = self._keys.setdefault((function, role), make_key("ASIA"))
        self._register(key, function, role.rpartition("/")[2])
        return {
            "AWS_ACCESS_KEY_ID": key.key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.session_token or "",
        }

    def _register(self, key: AccessKey, function: str, role: str) -> None:
        sts: Any = importlib.import_module("ministack.services.sts")
        account, name = function.split(":")[4], function.split(":")[6]
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": key.secret,
            "SessionToken": key.session_token,
        }
        sts.register_session(key.key_id, session)


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


def _take_turns(execute: Callable[..., Any], turns: threading.Semaphore) -> Callable[..., Any]:
    """A process per waiting request would take the machine's memory; AWS has room for a thousand at once."""

    def run(*arguments: Any) -> Any:
        with turns:
            return execute(*arguments)

    return run
