"""Checks of one state by itself."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.asl.definition.choices import check_jsonata_rule, check_jsonpath_rule
from headrace.local.engine.asl.definition.expressions import (
    check_input_path,
    check_jsonata,
    check_number,
    check_path_or_call,
    check_reference,
    check_template,
    check_timestamp,
)
from headrace.local.engine.asl.definition.fields import ENDING, list_fields
from headrace.local.engine.asl.definition.findings import Findings
from headrace.local.engine.asl.definition.tries import check_catchers, check_retriers
from headrace.local.engine.asl.documents import is_number
from headrace.local.engine.asl.jsonata_expressions import read_expression
from headrace.local.engine.asl.languages import JSONATA, JSONPATH
from headrace.local.engine.asl.plain_states import MOST_SECONDS

# Fields of which a state may have only one.
_EXCLUSIVE: Final = (
    ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("ItemSelector", "Parameters"),
    ("ItemProcessor", "Iterator"),
    ("Next", "End"),
)
_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "Seconds": (0, MOST_SECONDS),
    "TimeoutSeconds": (1, MOST_SECONDS),
    "HeartbeatSeconds": (1, MOST_SECONDS),
    "MaxConcurrency": (0, float("inf")),
    "ToleratedFailureCount": (0, float("inf")),
    "ToleratedFailurePercentage": (0, 100),
}
_TEMPLATES: Final = frozenset(
    {"Parameters", "ResultSelector", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Assign"}
)
_INPUT_PATHS: Final = frozenset({"InputPath", "OutputPath"})
# State machines inside a state, which are checked by themselves, and what is never an expression.
_NO_EXPRESSIONS: Final = frozenset({"Branches", "ItemProcessor", "Iterator", "Comment", "Type", "Next", "Resource"})


def check_state(state: Mapping[str, Any], place: str, language: str, findings: Findings) -> None:
    """The fields of a state: which there are, and what they hold."""
    kind = state["Type"]
    for name in sorted(state.keys() - list_fields(kind, language)):
        findings.add(f"Field is not supported by {kind} states in {language}", f"{place}/{name}")
    for names in _EXCLUSIVE:
        if len(given := [name for name in names if name in state]) > 1:
            findings.add(f"Only one of the fields is supported: {', '.join(given)}", place)
    _check_end(state, place, findings)
    _check_numbers(state, place, language, findings)
    if language == JSONATA:
        check_jsonata({name: value for name, value in state.items() if name not in _NO_EXPRESSIONS}, place, findings)
    else:
        _check_paths(state, place, findings)
    if "Retry" in state:
        check_retriers(state["Retry"], f"{place}/Retry", findings)
    if "Catch" in state:
        check_catchers(state["Catch"], f"{place}/Catch", language, findings)
    if kind in _OF_TYPES:
        _OF_TYPES[kind](state, place, language, findings)


def _check_end(state: Mapping[str, Any], place: str, findings: Findings) -> None:
    kind = state["Type"]
    if kind in ENDING or kind == "Choice":
        return
    if not state.keys() & {"Next", "End"}:
        findings.add("Missing 'Next' or 'End'", place)
    if "End" in state and state["End"] is not True and not ("Next" in state and state["End"] is False):
        findings.add("Expected value true, or no 'End' beside 'Next'", f"{place}/End")


def _check_numbers(state: Mapping[str, Any], place: str, language: str, findings: Findings) -> None:
    for name, (least, most) in _NUMBERS.items():
        if name in state and not (language == JSONATA and read_expression(state[name]) is not None):
            whole = name != "ToleratedFailurePercentage"
            check_number(state[name], f"{place}/{name}", findings, least=least, most=most, whole=whole)
    heartbeat, limit = state.get("HeartbeatSeconds", 0), state.get("TimeoutSeconds", MOST_SECONDS)
    if is_number(heartbeat) and is_number(limit) and heartbeat >= limit:
        findings.add("HeartbeatSeconds must be smaller than TimeoutSeconds", f"{place}/HeartbeatSeconds")


def _check_paths(state: Mapping[str, Any], place: str, findings: Findings) -> None:
    for name, value in state.items():
        here = f"{place}/{name}"
        if name in _TEMPLATES:
            check_template(value, here, findings)
        elif name == "ResultPath":
            check_reference(value, here, findings)
        elif name in _INPUT_PATHS:
            check_input_path(value, here, findings)
        elif name.endswith("Path"):
            check_path_or_call(value, here, findings)


def _check_choice(state: Mapping[str, Any], place: str, language: str, findings: Findings) -> None:
    rules = state.get("Choices")
    if not isinstance(rules, list) or not rules:
        findings.add("Expected a non-empty array of rules", f"{place}/Choices")
        return
    for at, rule in enumerate(rules):
        here = f"{place}/Choices[{at}]"
        if language == JSONPATH or not isinstance(rule, Mapping):
            check_jsonpath_rule(rule, here, findings)
        else:
            check_jsonata_rule(rule, here, findings)
        if isinstance(rule, Mapping) and "Next" not in rule:
            findings.add("Missing 'Next'", here)


def _check_wait(state: Mapping[str, Any], place: str, language: str, findings: Findings) -> None:
    if not state.keys() & {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}:
        findings.add("Missing 'Seconds' or 'Timestamp'", place)
    timestamp = state.get("Timestamp")
    if "Timestamp" in state and not (language == JSONATA and read_expression(timestamp) is not None):
        check_timestamp(timestamp, f"{place}/Timestamp", findings)


def _check_fail(state: Mapping[str, Any], place: str, _language: str, findings: Findings) -> None:
    for name in ("Error", "Cause"):
        if name in state and not isinstance(state[name], str):
            findings.add("Expected value of type String", f"{place}/{name}")


def _check_task(state: Mapping[str, Any], place: str, _language: str, findings: Findings) -> None:
    resource = state.get("Resource")
    if not isinstance(resource, str) or not resource.startswith("arn:"):
        findings.add("Value is not a valid resource ARN", f"{place}/Resource")


_OF_TYPES: Final[Mapping[str, Callable[[Mapping[str, Any], str, str, Findings], None]]] = {
    "Choice": _check_choice,
    "Wait": _check_wait,
    "Fail": _check_fail,
    "Task": _check_task,
}
