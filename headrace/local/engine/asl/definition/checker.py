"""Refuses what Step Functions refuses to make a state machine of."""

import json
from typing import Any, NoReturn

from headrace.local.engine.asl.definition.findings import Code, Fault, Findings
from headrace.local.engine.asl.definition.machines import MachineChecker


class InvalidDefinitionError(Exception):
    """A definition that no state machine can be made of.

    Args:
        faults: What is wrong with it.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"Invalid State Machine Definition: '{', '.join(map(str, faults))}'")
        self.faults = faults


def check_definition(text: str) -> dict[str, Any]:
    """The definition that a text is.

    Raises:
        InvalidDefinitionError: With all that is wrong with it.
    """
    findings = Findings()
    try:
        machine = json.loads(text, parse_constant=_refuse_constant)
        MachineChecker(findings).check(machine)
    except (ValueError, RecursionError) as error:
        findings.add(str(error), "/", Code.JSON)
    if findings.faults:
        raise InvalidDefinitionError(findings.faults)
    return dict(machine)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
