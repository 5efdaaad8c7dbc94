"""What MiniStack's Step Functions is taught: tasks of SageMaker, and what AWS refuses."""

import importlib
import importlib.metadata
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from headrace.local.engine.asl.failures import TIMEOUT
from headrace.local.engine.ministack.callers import SageMakerCalls
from headrace.local.engine.ministack.tasks import task_scope
from headrace.local.engine.step_functions import StatesError, check_request
from headrace.local.fault_codes import COMMON_ERRORS
from headrace.local.sagemaker.errors import SageMakerError
from headrace.local.sagemaker.validation import load_service_model

# The operations of Step Functions whose requests are checked, and the function of MiniStack that serves each.
CHECKED_OPERATIONS = {
    "StartExecution": "_start_execution",
    "StartSyncExecution": "_start_sync_execution",
    "StopExecution": "_stop_execution",
    "CreateStateMachine": "_create_state_machine",
    "UpdateStateMachine": "_update_state_machine",
    "DeleteStateMachine": "_delete_state_machine",
    "DescribeStateMachine": "_describe_state_machine",
    "DescribeExecution": "_describe_execution",
    "GetExecutionHistory": "_get_execution_history",
    "ListExecutions": "_list_executions",
    "ListStateMachines": "_list_state_machines",
    "CreateActivity": "_create_activity",
    "SendTaskSuccess": "_send_task_success",
    "SendTaskFailure": "_send_task_failure",
    "SendTaskHeartbeat": "_send_task_heartbeat",
    "TestState": "_test_state",
    "ValidateStateMachineDefinition": "_validate_state_machine_definition",
}
# Those that MiniStack lacks.
ADDED_OPERATIONS = {"RedriveExecution": "_redrive_execution"}


def install_tasks(calls: SageMakerCalls) -> None:
    """Teach MiniStack's Step Functions to give SageMaker tasks to a control plane."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    states._AWS_SDK_SERVICE_MAP["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    states._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
    states._AWS_SDK_ERROR_CODE_OVERRIDES["sagemaker"] = {
        # What no operation declares has no class in the SDK for Java but that of the service.
        **dict.fromkeys(COMMON_ERRORS, "SageMakerException"),
        **name_classes("sagemaker"),
    }
    states._AWS_SDK_ERROR_CODE_OVERRIDES["sfn"] = name_classes("stepfunctions")
    tasks = SageMakerTasks(calls, states)
    states._SERVICE_DISPATCH["arn:aws:states:::sagemaker:"] = tasks.run


def install_execution_rules() -> None:
    """Teach MiniStack's Step Functions to refuse what AWS refuses, and to answer a repeated request as AWS does."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    states._start_execution = _answer_again(states, states._start_execution)
    for operation, function in {**CHECKED_OPERATIONS, **ADDED_OPERATIONS}.items():
        setattr(states, function, _check_first(states, operation, getattr(states, function)))


class SageMakerTasks:
    """Step Functions' optimized integration: `sagemaker:ACTION`, and `sagemaker:ACTION.sync` for jobs."""

    def __init__(self, calls: SageMakerCalls, states: Any) -> None:
        self._calls = calls
        self._sagemaker = calls.sagemaker
        self._states = states

    def run(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Run one task on the thread of its execution."""
        action, _, pattern = resource.split(":sagemaker:")[1].partition(".")
        operation = action[0].upper() + action[1:]
        kind = operation.removeprefix("Create")
        if pattern == "sync" and f"Stop{kind}" not in self._sagemaker.operations:
            raise self._states._ExecutionError("States.Runtime", f"{resource}: only a job's end can be waited for")
        try:
            authorize = self._calls.authorize_task(is_waited_for=pattern == "sync")
            result = self._sagemaker.call(operation, arguments, authorize)
        except SageMakerError as error:
            raise self._states._ExecutionError(_name_task_error(error.code), error.message) from None
        if pattern == "sync":
            result = self._wait_for_job(kind, arguments[f"{kind}Name"])
        return json.loads(_to_state_json(result))

    def _stop_job(self, kind: str, name: str) -> None:
        # It may have ended by itself meanwhile.
        with suppress(SageMakerError):
            self._sagemaker.call(f"Stop{kind}", {f"{kind}Name": name})

    def _wait_for_job(self, kind: str, name: str) -> dict[str, Any]:
        # StopExecution, a time limit and the failure of another branch stop the job, even while it is being made.
        task_scope.get().on_cancel(lambda: self._stop_job(kind, name))
        job = self._sagemaker.wait(kind, name)
        if job[f"{kind}Status"] != "Completed":
            raise self._states._ExecutionError("States.TaskFailed", _to_state_json(job))
        return job


def name_classes(service: str) -> dict[str, str]:
    """What the SDK for Java calls its classes of errors, where the API calls the errors otherwise."""
    model = load_service_model(service)
    errors = [name for name in model.shape_names if model.shape_for(name).metadata.get("exception")]
    return {name: f"{name}Exception" for name in errors if not name.endswith("Exception")}


def _check_first(states: Any, operation: str, serve: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    def run(request: dict[str, Any]) -> Any:
        try:
            check_request(operation, request)
        except StatesError as error:
            return states.error_response_json(error.code, error.message, 400)
        return serve(request)

    return run


def _answer_again(states: Any, start: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    """StartExecution is idempotent: a running execution's name and input get its answer once more."""

    def run(request: dict[str, Any]) -> Any:
        machine = states._resolve_state_machine_arn(request["stateMachineArn"].partition("#")[0])
        arn = f"{str(machine).replace(':stateMachine:', ':execution:')}:{request.get('name')}"
        running = states._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == request.get("input", "{}"):
            return states.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return start(request)

    return run


def _name_task_error(code: str) -> str:
    """How Step Functions names an error of the API: the modelled ones by name, all others alike."""
    if code in (TIMEOUT, "SdkClientException"):
        return code if code == TIMEOUT else f"SageMaker.{code}"
    modelled = {"ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound"}
    return f"SageMaker.{code}Exception" if code in modelled else "SageMaker.AmazonSageMakerException"


def _to_state_json(result: object) -> str:
    return json.dumps(result, default=_to_epoch_milliseconds)


def _to_epoch_milliseconds(value: object) -> int:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    raise TypeError(f"cannot put {value!r} into a state")
