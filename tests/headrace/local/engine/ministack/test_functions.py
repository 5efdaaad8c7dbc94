"""What headrace uses of the engine's Lambda is still there and still works as assumed."""

import asyncio
import importlib
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.ministack import functions as lambdas
from headrace.local.engine.ministack import (
    process,
)
from headrace.local.engine.ministack.access import Access
from tests.patience import PATIENCE_SECONDS


def test_calls_the_functions_of_lambda_that_are_wrapped(functions: Any) -> None:
    object_lambda = importlib.import_module("ministack.services.s3_object_lambda")

    assert "_build_function_url_event(" in inspect.getsource(functions.handle_function_url_request)
    assert "_execute_function, func" in inspect.getsource(functions._execute_function_with_config_scope)
    assert "lambda_svc._execute_function, func_record, event" in inspect.getsource(object_lambda._invoke)
    assert list(inspect.signature(object_lambda.handle_request).parameters)[-2:] == ["query_params", "url"]


def test_leads_function_urls_to_its_own_port(provisioners: Any, functions: Any, app: Any) -> None:
    given = {"FunctionUrl": f"https://{'a' * 32}.lambda-url.us-east-1.on.aws/", "FunctionArn": "arn"}
    create = provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL]
    assert set(create) == {"create", "update", "delete"}
    provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL] = {**create, "create": lambda *_: ("name", given)}

    lambdas.install_functions(4711, Access(None))
    _, attributes = provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL]["create"]("Url", {}, "stack")

    path = f"/_aws/lambda-url/{'a' * 32}/"
    assert attributes == {"FunctionUrl": f"http://127.0.0.1:4711{path}", "FunctionArn": "arn"}
    assert app._parse_lambda_url("127.0.0.1:4711", f"{path}images/a.jpg") == ("a" * 32, "/images/a.jpg")


def test_gives_functions_the_path_as_it_was_sent(provisioners: Any, functions: Any) -> None:
    lambdas.install_functions(4711, Access(None))

    event = functions._build_function_url_event("id", "0", "us-east-1", "GET", "/a b%41", {}, b"", {})

    assert event["rawPath"] == "/a%20b%2541"


def test_tells_object_lambda_the_query_of_an_alias(provisioners: Any, functions: Any, monkeypatch: Any) -> None:
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    seen: list[str] = []

    async def handle(*arguments: Any) -> None:
        seen.append(arguments[-1])

    monkeypatch.setattr(object_lambda, "handle_request", handle)
    lambdas.install_functions(4711, Access(None))

    asyncio.run(object_lambda.handle_request({}, "us-east-1", "GET", "a", {}, b"", {"width": ["8"]}, "/alias/a"))

    assert seen == ["/alias/a?width=8"]


def test_gives_functions_a_key_of_their_own_that_is_known(provisioners: Any, functions: Any) -> None:
    lambdas.install_functions(4711, Access(None))
    config = {
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
        "Role": "arn:aws:iam::0:role/r",
    }

    given = functions.execution_credentials(config)

    assert given == functions.execution_credentials(config)
    assert given != functions.execution_credentials({**config, "Role": "arn:aws:iam::0:role/other"})
    assert process.find_key(given["AWS_ACCESS_KEY_ID"]) == AccessKey(
        key_id=given["AWS_ACCESS_KEY_ID"],
        secret=given["AWS_SECRET_ACCESS_KEY"],
        session_token=given["AWS_SESSION_TOKEN"],
    )


def test_calls_the_function_of_credentials_that_is_replaced(functions: Any) -> None:
    runtime = importlib.import_module("ministack.core.lambda_runtime")

    assert "update(execution_credentials(self.config))" in inspect.getsource(runtime)
    assert inspect.getsource(functions).count("update(execution_credentials(config))") == 3


def test_lets_only_so_many_functions_run_at_once(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, full = 0, 0, threading.Barrier(lambdas.FUNCTIONS_AT_ONCE)

    def execute(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        full.wait(PATIENCE_SECONDS)
        running -= 1

    monkeypatch.setattr(functions, "_execute_function", execute)
    lambdas.install_functions(4711, Access(None))

    with ThreadPoolExecutor(4 * lambdas.FUNCTIONS_AT_ONCE) as threads:
        list(threads.map(functions._execute_function, range(2 * lambdas.FUNCTIONS_AT_ONCE)))

    assert most == lambdas.FUNCTIONS_AT_ONCE


def test_turns_away_what_the_accounts_quota_has_no_place_for(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait for their turn here would run on AWS, so they take a place, too."""
    quota = 2 * lambdas.FUNCTIONS_AT_ONCE
    turned_away = threading.Event()

    def execute(_: int) -> dict[str, Any]:
        turned_away.wait(PATIENCE_SECONDS)
        return {}

    def run(number: int) -> Any:
        answer = functions._execute_function(number)
        if answer:
            turned_away.set()
        return answer

    monkeypatch.setattr(functions, "_execute_function", execute)
    lambdas.install_functions(4711, Access(None), quota)
    with ThreadPoolExecutor(quota + 1) as threads:
        answers = list(threads.map(run, range(quota + 1)))

    (refusal,) = (answer for answer in answers if answer)
    assert refusal["throttle"]
    assert refusal["body"]["__type"] == "TooManyRequestsException"
    assert refusal["body"]["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert run(0) == {}


def test_runs_no_function_where_the_quota_is_0(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "_execute_function", lambda _: {})
    lambdas.install_functions(4711, Access(None), 0)

    assert functions._execute_function(0)["throttle"]


def test_throttles_as_the_engine_does(functions: Any) -> None:
    assert functions._throttle_response("Reason", "message").keys() >= {"throttle", "body", "error"}
