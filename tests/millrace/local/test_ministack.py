"""Every part of MiniStack's inside that millrace uses is still there and still works as assumed."""

import importlib
import importlib.metadata
import inspect
from typing import Any

import pytest

from millrace.local import ministack
from millrace.local.ministack import EngineVersionError


@pytest.fixture(scope="module")
def states() -> Any:
    return importlib.import_module("ministack.services.stepfunctions")


@pytest.fixture(scope="module")
def app() -> Any:
    return importlib.import_module("ministack.app")


def test_pins_the_version_that_is_known() -> None:
    assert importlib.metadata.version("ministack") == ministack.VERSION


def test_refuses_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9.9")

    with pytest.raises(EngineVersionError, match=r"ministack 9\.9\.9 is installed, but millrace needs 1\.5\.33"):
        ministack.check_version()


def test_routes_requests_by_tables_that_can_be_added_to(app: Any) -> None:
    router = importlib.import_module("ministack.core.router")

    assert "sagemaker" not in {*app.SERVICE_REGISTRY, *app.SERVICE_NAME_ALIASES}
    assert set(router.SERVICE_PATTERNS["ecr"]) == {"target_prefixes", "host_patterns", "credential_scope"}


def test_routes_sagemakers_requests_once_its_pattern_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    router = importlib.import_module("ministack.core.router")
    monkeypatch.setitem(router.SERVICE_PATTERNS, "sagemaker", {"target_prefixes": ["SageMaker."]})
    scope = "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/sagemaker/aws4_request, SignedHeaders=host"

    control = router.detect_service("POST", "/", {"x-amz-target": "SageMaker.ListModels", "authorization": scope}, {})
    runtime = router.detect_service("POST", "/endpoints/x/invocations", {"authorization": scope}, {})

    assert (control, runtime) == ("sagemaker", "sagemaker")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_run_execution", ["exec_arn"]),
        ("_stop_execution", ["data"]),
        ("_ExecutionError", ["error", "cause"]),
        ("_invoke_aws_sdk_integration", ["resource", "input_data"]),
        ("_prefix_sdk_error", ["service_name", "error_code"]),
    ],
)
def test_has_the_functions_that_are_wrapped(states: Any, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(states, name)).parameters) == parameters


def test_looks_functions_up_when_they_are_called(states: Any) -> None:
    source = inspect.getsource(states._start_execution)

    assert "args=(_run_execution, exec_arn)" in source
    assert '"StopExecution": _stop_execution' in inspect.getsource(states.handle_request)


def test_dispatches_optimized_integrations_by_prefix(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(states._SERVICE_DISPATCH, "arn:aws:states:::sagemaker:", lambda resource, _: resource)
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"

    assert states._invoke_resource(resource, {}) == resource


def test_spells_sdk_errors_as_told(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(states._AWS_SDK_ERROR_PREFIX, "sagemaker", "SageMaker")
    monkeypatch.setitem(
        states._AWS_SDK_ERROR_CODE_OVERRIDES, "sagemaker", {"ValidationException": "SageMakerException"}
    )

    assert states._prefix_sdk_error("sagemaker", "ValidationException") == "SageMaker.SageMakerException"


def test_ends_an_execution_thread_quietly_on_system_exit(states: Any) -> None:
    assert "except BaseException" not in inspect.getsource(states._run_execution)
    assert 'execution["status"] == "RUNNING"' in inspect.getsource(states._run_execution)


def test_binds_loopback_and_opens_no_other_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)

    ministack.configure(4711)

    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["GATEWAY_PORT"] == "4711"
    assert (environment["IOT_MTLS_ENABLED"], environment["SFTP_ENABLED"]) == ("0", "0")
