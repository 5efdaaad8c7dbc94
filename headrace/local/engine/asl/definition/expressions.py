"""Checks of what fields hold: paths, templates, JSONata, numbers and variables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.local.engine.asl.definition.findings import Code, Findings
from headrace.local.engine.asl.documents import is_integer, is_number, parse_timestamp
from headrace.local.engine.asl.intrinsics import CallError, is_call, parse_call
from headrace.local.engine.asl.jsonata_expressions import find_fault, read_expression
from headrace.local.engine.asl.jsonpath import PathError, check_path, is_reference

_VARIABLE: Final = re.compile(r"[^\W\d]\w{0,79}")
_RESERVED: Final = "states"


def check_jsonata(value: Any, place: str, findings: Findings) -> None:
    """Every expression in a value, however deep, can be parsed."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            check_jsonata(inner, f"{place}/{name}", findings)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            check_jsonata(inner, f"{place}[{at}]", findings)
    elif (expression := read_expression(value)) is not None and (fault := find_fault(expression)):
        findings.add(f"The JSONata expression is not valid: {fault}", place, Code.JSONATA)


def check_template(value: Any, place: str, findings: Findings) -> None:
    """A payload template: what names in `.$` hold is a path or a call, and no name is given twice."""
    if isinstance(value, list):
        for at, inner in enumerate(value):
            check_template(inner, f"{place}[{at}]", findings)
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        here = f"{place}/{name}"
        if not name.endswith(".$"):
            check_template(inner, here, findings)
            continue
        check_path_or_call(inner, here, findings)
        if name.removesuffix(".$") in value:
            findings.add(f"The field '{name.removesuffix('.$')}' is given twice", here)


def check_path_or_call(value: Any, place: str, findings: Findings) -> None:
    """A path, or a call of an intrinsic function."""
    try:
        if is_call(value):
            parse_call(value)
        else:
            check_path(value)
    except CallError as error:
        findings.add(f"The function is not valid: {error}", place)
    except PathError as error:
        findings.add(f"The value must be a valid JSONPath or a valid intrinsic function call: {error}", place)


def check_input_path(value: Any, place: str, findings: Findings) -> None:
    """A path, or null."""
    if value is None:
        return
    try:
        check_path(value)
    except PathError as error:
        findings.add(str(error), place)


def check_reference(value: Any, place: str, findings: Findings) -> None:
    """A Reference Path, or null."""
    if value is not None and not is_reference(value):
        findings.add("Value is not a Reference Path", place)


def check_number(value: Any, place: str, findings: Findings, *, least: float, most: float, whole: bool = True) -> None:
    """A number within bounds."""
    if not (is_integer(value) if whole else is_number(value)) or not least <= value <= most:
        findings.add(f"Expected value of type {'Integer' if whole else 'Number'} from {least} to {most}", place)


def check_timestamp(value: Any, place: str, findings: Findings) -> None:
    """A timestamp."""
    if parse_timestamp(value) is None:
        findings.add("Expected value of type Timestamp", place)


def check_variables(assigned: Any, place: str, findings: Findings, outer: frozenset[str]) -> None:
    """What Assign gives values to can be assigned here.

    Args:
        assigned: The field.
        place: Where it is.
        findings: Takes the faults.
        outer: The variables of the state machines around this one.
    """
    if not isinstance(assigned, Mapping):
        findings.add("Expected value of type Object", place)
        return
    for name in list_variables(assigned):
        if name == _RESERVED or not _VARIABLE.fullmatch(name):
            findings.add(f"'{name}' is not a valid variable name", f"{place}/{name}")
        if name in outer:
            findings.add(f"The variable '{name}' belongs to an outer scope", f"{place}/{name}")


def list_variables(assigned: Any) -> Iterator[str]:
    """The variables that an Assign field gives values to."""
    if isinstance(assigned, Mapping):
        yield from (name.removesuffix(".$") for name in assigned)
