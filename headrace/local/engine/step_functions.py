"""What Step Functions refuses before it starts or makes anything, which MiniStack takes."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.validation import load_service_model, validate_request

# White space, brackets, wildcards, special and control characters, and what is not a character at all.
_FORBIDDEN_IN_NAMES: Final = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\U0010ffff]""")
# Where a Map state has the state machine that it runs for each item.
_PROCESSORS: Final = ("ItemProcessor", "Iterator")
MOST_INPUT_BYTES: Final = 262_144


class StatesError(Exception):
    """An answer of Step Functions that is an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse what the API refuses whatever state machines there are.

    Raises:
        StatesError: With the code and words of AWS.
    """
    shape = load_service_model("stepfunctions").operation_model(operation).input_shape
    try:
        validate_request(shape, {name: value for name, value in request.items() if name in shape.members})
    except RequestRefusedError as error:
        raise StatesError(error.code, error.message) from None
    _check_name(request.get("name"))
    _check_text(request.get("input"), "InvalidExecutionInput", "Invalid State Machine Execution Input")
    _check_text(request.get("output"), "InvalidOutput", "Invalid Output")
    if (definition := request.get("definition")) is not None:
        _check_definition(definition)


def _check_name(name: str | None) -> None:
    if name is not None and _FORBIDDEN_IN_NAMES.search(name):
        raise StatesError("InvalidName", f"Invalid Name: '{name}'")


def _check_text(text: str | None, code: str, title: str) -> None:
    if text is None:
        return
    if len(text.encode(errors="surrogatepass")) > MOST_INPUT_BYTES:
        raise StatesError(code, f"{title}: it has more than {MOST_INPUT_BYTES} bytes")
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StatesError(code, f"{title}: '{error}'") from None


def _check_definition(text: str) -> None:
    """Refuse what would leave a state machine without a way to run; AWS refuses more than that."""
    try:
        fault = _find_fault(json.loads(text), "")
    except (ValueError, RecursionError) as error:
        fault = f"INVALID_JSON_DESCRIPTION: {error}"
    if fault:
        raise StatesError("InvalidDefinition", f"Invalid State Machine Definition: '{fault}'")


def _find_fault(machine: object, place: str) -> str | None:
    """What is wrong with a state machine, or with one inside a Map or Parallel state."""
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(machine, dict) or not isinstance(states, dict) or not states or "StartAt" not in machine:
        return f"SCHEMA_VALIDATION_FAILED: StartAt and States are required at {place or '/'}"
    targets = [(f"{place}/StartAt", machine["StartAt"])]
    for name, state in states.items():
        here = f"{place}/States/{name}"
        if not isinstance(state, dict) or "Type" not in state:
            return f"SCHEMA_VALIDATION_FAILED: Type is required at {here}"
        steps = [state, *_list_members(state, "Choices", "Catch")]
        targets += [(f"{here}/{key}", step[key]) for step in steps for key in ("Next", "Default") if key in step]
        for inner in (*_list_members(state, "Branches"), *(state[key] for key in _PROCESSORS if key in state)):
            if fault := _find_fault(inner, here):
                return fault
    missing = next(((at, target) for at, target in targets if str(target) not in states), None)
    return f"MISSING_TRANSITION_TARGET: Missing target: {missing[1]} at {missing[0]}" if missing else None


def _list_members(state: Mapping[str, Any], *keys: str) -> list[dict[str, Any]]:
    """The objects in the lists of a state."""
    found = [state[key] for key in keys if isinstance(state.get(key), list)]
    return [member for members in found for member in members if isinstance(member, dict)]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
