"""What Step Functions refuses before it starts or makes anything, which MiniStack takes."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from headrace.local.engine.asl.definition.checker import InvalidDefinitionError, check_definition
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.validation import load_service_model, validate_request

# White space, brackets, wildcards, special and control characters, and what is not a character at all.
_FORBIDDEN_IN_NAMES: Final = re.compile(r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\U0010ffff]""")
_DEFINING: Final = frozenset({"CreateStateMachine", "UpdateStateMachine"})
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
    if operation in _DEFINING and "definition" in request:
        _check_definition(request["definition"])


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
    try:
        check_definition(text)
    except InvalidDefinitionError as error:
        raise StatesError("InvalidDefinition", str(error)) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
