"""TestState and ValidateStateMachineDefinition, on the interpreter."""

import asyncio
import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from headrace.local.clock import CLOCK
from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.definition.checker import InvalidDefinitionError, check_definition
from headrace.local.engine.asl.definition.machines import list_targets
from headrace.local.engine.asl.documents import write_json, write_timestamp
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.flows import Flow
from headrace.local.engine.asl.history import Trail
from headrace.local.engine.asl.languages import JSONPATH
from headrace.local.engine.asl.runner import StateRunner
from headrace.local.engine.asl.trial import Mock, Outcome, try_state
from headrace.local.engine.ministack.executions import Answer, Serve
from headrace.local.engine.ministack.tasks import CALLBACK, CloudClock, EngineTasks

_NAME = "TestState"
_INNER = frozenset({"Map", "Parallel"})


def install_trials() -> None:
    """Teach MiniStack to try states out with the interpreter, and to say what is wrong with definitions."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    provisioners._sfn_definition = _check(provisioners._sfn_definition)
    states._test_state = _try(states)
    states._validate_state_machine_definition = _validate(states)


def _check(read: Callable[[dict[str, Any]], str]) -> Callable[[dict[str, Any]], str]:
    """CloudFormation makes no state machine of what the API would refuse."""

    def run(properties: dict[str, Any]) -> str:
        definition = read(properties)
        try:
            check_definition(definition)
        except InvalidDefinitionError as error:
            raise ValueError(f"InvalidDefinition: {error}") from None
        return definition

    return run


def _validate(states: Any) -> Serve:
    def run(request: dict[str, Any]) -> Answer:
        try:
            check_definition(request.get("definition", ""))
            faults = []
        except InvalidDefinitionError as error:
            faults = error.faults
        found = [
            {"severity": "ERROR", "code": fault.code.value, "message": fault.message, "location": fault.place}
            for fault in faults
        ]
        answer: Answer = states.json_response({"result": "FAIL" if found else "OK", "diagnostics": found})
        return answer

    return run


def _try(states: Any) -> Callable[[dict[str, Any]], Any]:
    def run(request: dict[str, Any]) -> Any:
        try:
            machine, mock = _read_machine(request), _read_mock(request.get("mock"))
            state = machine["States"][machine["StartAt"]]
            if mock is None and (state["Type"] in _INNER or state.get("Resource", "").endswith(CALLBACK)):
                raise ValueError("what this state calls cannot be tried out: it needs a mock")
            return states.json_response(_run(states, request, machine, mock))
        except InvalidDefinitionError as error:
            return states.error_response_json("InvalidDefinition", str(error), 400)
        except ValueError as error:
            return states.error_response_json("ValidationException", str(error), 400)

    return run


def _read_machine(request: Mapping[str, Any]) -> dict[str, Any]:
    """A state machine that starts with the state that is tried out.

    Raises:
        InvalidDefinitionError: If it cannot be made of what is given.
        ValueError: If that has no such state.
    """
    given = json.loads(request["definition"])
    if not isinstance(given, dict) or "States" in given:
        machine = check_definition(request["definition"])
        start = request.get("stateName", machine["StartAt"])
        if start not in machine["States"]:
            raise ValueError(f"the definition has no state '{start}'")
        return {**machine, "StartAt": start}
    # Where it leads is not given, so there is a state of every name that it says.
    name = request.get("stateName", _NAME)
    targets = {target: {"Type": "Succeed"} for _, target in list_targets(given, "") if isinstance(target, str)}
    return check_definition(json.dumps({"StartAt": name, "States": {**targets, name: given}}))


def _read_mock(mock: Mapping[str, Any] | None) -> Mock | None:
    if not mock:
        return None
    if error := mock.get("errorOutput"):
        return Mock(failure=StateFailedError(error.get("error"), error.get("cause")))
    return Mock(result=json.loads(mock["result"]))


def _run(states: Any, request: Mapping[str, Any], machine: Mapping[str, Any], mock: Mock | None) -> dict[str, Any]:
    clock = CloudClock()
    given = json.loads(request.get("input", "{}"))
    context = json.loads(request.get("context", "{}"))
    flow = Flow(machine=machine, trail=Trail([], clock.now), input=given, context=context)
    flow.variables |= json.loads(request.get("variables", "{}"))
    runner = StateRunner(
        tasks=EngineTasks(states),
        clock=clock,
        callbacks=Callbacks(),
        language=machine.get("QueryLanguage", JSONPATH),
        describe=lambda: _describe(given, str(request.get("roleArn", ""))),
    )
    retried = request.get("stateConfiguration", {}).get("retrierRetryCount", 0)
    outcome = asyncio.run(try_state(runner, flow, mock, retried))
    answer = _write(outcome)
    if request.get("inspectionLevel", "INFO") != "INFO":
        answer["inspectionData"] = _inspect(outcome, given, flow)
    return answer


def _describe(given: Any, role_arn: str) -> dict[str, Any]:
    execution = {"Id": _NAME, "Input": given, "Name": _NAME, "RoleArn": role_arn, "RedriveCount": 0}
    execution["StartTime"] = write_timestamp(CLOCK.now())
    return {"Execution": execution, "StateMachine": {"Id": _NAME, "Name": _NAME}}


def _write(outcome: Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": outcome.status}
    if outcome.leaving:
        answer["output"] = write_json(outcome.leaving.output)
        if outcome.leaving.next:
            answer["nextState"] = outcome.leaving.next
    if outcome.failure:
        answer["error"], answer["cause"] = outcome.failure.error or "", outcome.failure.cause or ""
    return answer


def _inspect(outcome: Outcome, given: Any, flow: Flow) -> dict[str, Any]:
    assigned = outcome.leaving.assigned if outcome.leaving else {}
    data: dict[str, Any] = {"input": write_json(given), "variables": write_json({**flow.variables, **assigned})}
    for event in flow.trail.events:
        for name, details in event.items():
            if name == "taskScheduledEventDetails":
                data["afterArguments"] = details["parameters"]
            if name == "taskSucceededEventDetails":
                data["result"] = details["output"]
    if outcome.details:
        data["errorDetails"] = outcome.details
    return data
