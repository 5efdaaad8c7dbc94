"""What headrace uses of the engine's Step Functions is still there and still works as assumed."""

import importlib
import inspect
from typing import Any

import pytest

from headrace.local.engine.ministack import (
    step_functions,
)


@pytest.fixture(scope="module")
def states() -> Any:
    return importlib.import_module("ministack.services.stepfunctions")


def test_gives_tasks_of_a_json_service_to_its_handler_by_a_table_that_can_be_added_to() -> None:
    states = importlib.import_module("ministack.services.stepfunctions")

    assert not {"applicationautoscaling", "fsx"} & {*states._AWS_SDK_SERVICE_MAP, *states._AWS_SDK_ERROR_PREFIX}
    assert states._AWS_SDK_SERVICE_MAP["eventbridge"] == {
        "target_prefix": "AWSEvents",
        "protocol": "json",
        "service_key": "events",
    }
    assert states._AWS_SDK_ERROR_PREFIX["eventbridge"] == "EventBridge"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_run_execution", ["exec_arn"]),
        *((name, ["data"]) for name in step_functions.CHECKED_OPERATIONS.values()),
        ("_resolve_state_machine_arn", ["arn"]),
        ("_describe_state_machine_for_execution", ["data"]),
        ("_publish_state_machine_version", ["data"]),
        ("_delete_state_machine_version", ["data"]),
        ("_list_state_machine_versions", ["data"]),
        ("_create_state_machine_alias", ["data"]),
        ("_update_state_machine_alias", ["data"]),
        ("_delete_state_machine_alias", ["data"]),
        ("_list_state_machine_aliases", ["data"]),
        ("_validate_alias_name", ["name"]),
        ("_encode_execution_token", ["execution"]),
        ("_ExecutionError", ["error", "cause"]),
        ("_invoke_resource", ["resource", "input_data"]),
        ("_invoke_aws_sdk_integration", ["resource", "input_data"]),
        ("_read_map_items", ["reader", "effective", "ctx"]),
        ("_add_event", ["execution", "event_type", "details"]),
        ("_emit_execution_status_event", ["execution"]),
        ("_finalize_response", ["response"]),
        ("_test_state", ["data"]),
        ("_validate_state_machine_definition", ["data"]),
        ("_prefix_sdk_error", ["service_name", "error_code"]),
        ("_dispatch_aws_sdk_rest_xml", ["service_info", "service_name", "action", "input_data"]),
        ("_sdk_json_param_value", ["value", "shape"]),
        ("_sdk_json_value", ["value", "shape"]),
        ("_api_name_to_sfn_key", ["name"]),
    ],
)
def test_has_the_functions_that_are_wrapped(states: Any, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(states, name)).parameters) == parameters


def test_looks_functions_up_when_they_are_called(states: Any) -> None:
    source = inspect.getsource(states._start_execution)

    assert "args=(_run_execution, exec_arn)" in source
    table = inspect.getsource(states.handle_request)
    assert all(f'"{name}": {function}' in table for name, function in step_functions.CHECKED_OPERATIONS.items())


def test_publishes_the_start_of_an_execution_by_a_function_that_is_replaced(states: Any) -> None:
    assert "_emit_execution_status_event(_executions[exec_arn])" in inspect.getsource(states._start_execution)


def test_keeps_executions_where_the_interpreter_writes_their_end(states: Any) -> None:
    kept = inspect.getsource(states._start_execution)

    assert all(
        f'"{name}":' in kept for name in ("executionArn", "stateMachineArn", "name", "startDate", "input", "events")
    )
    assert states._SFN_WAIT_SCALE >= 0
    assert '"redriveDate"' in inspect.getsource(states).partition("_TIMESTAMP_RESPONSE_FIELDS")[2][:200]


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
