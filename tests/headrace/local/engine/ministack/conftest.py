"""MiniStack's inside, of which a test may replace what headrace replaces."""

import importlib
from typing import Any

import pytest


@pytest.fixture(scope="module")
def app() -> Any:
    return importlib.import_module("ministack.app")


@pytest.fixture
def provisioners(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MiniStack's provisioners with tables that a test may change."""
    module: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    monkeypatch.setattr(module, "_RESOURCE_HANDLERS", dict(module._RESOURCE_HANDLERS))
    monkeypatch.setattr(module, "_REPLACING_PROPERTIES", dict(module._REPLACING_PROPERTIES))
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    monkeypatch.setattr(stacks, "_runs_on_worker_thread", stacks._runs_on_worker_thread)
    return module


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MiniStack's Lambda with functions that a test may replace."""
    module: Any = importlib.import_module("ministack.services.lambda_svc")
    for name in ("_build_function_url_event", "_execute_function", "execution_credentials"):
        monkeypatch.setattr(module, name, getattr(module, name))
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    monkeypatch.setattr(runtime, "execution_credentials", runtime.execution_credentials)
    object_lambda = importlib.import_module("ministack.services.s3_object_lambda")
    monkeypatch.setattr(object_lambda, "handle_request", object_lambda.handle_request)
    return module
