"""Name what the execution makes, and refuse names and inputs that SageMaker would refuse later."""

from collections.abc import Mapping
from typing import Any, Final

from headrace import contract
from stacks.pipeline import names, quota
from stacks.pipeline.asl import Choice, Pass, Rule, State, jsonata
from stacks.pipeline.execution_input import refuse_other_inputs
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.step import Step

_CHECK: Final = "Check Names"


def name(endpoint_name: str, also: Mapping[str, Any]) -> Step:
    """Take names from the execution's input, or make them of the execution's name.

    Args:
        endpoint_name: The endpoint, if the input names none.
        also: Other variables to assign.
    """

    def states(after: str) -> Mapping[str, State]:
        return {"Name Resources": _name_resources(endpoint_name, also), _CHECK: _check_names(after)}

    return states


def _name_resources(endpoint_name: str, also: Mapping[str, Any]) -> Pass:
    given = {variable: jsonata(names.given_or_derived(key)) for variable, key in names.INPUTS.items()}
    given["endpoint_name"] = jsonata(names.given_or(contract.ENDPOINT_NAME_INPUT, f"'{endpoint_name}'"))
    return Pass(
        assign={
            "request": jsonata("$states.input"),
            **given,
            "execution": jsonata(names.name_from_execution()),
            **quota.VARIABLES,
            **also,
        },
        next=_CHECK,
    )


def _check_names(after: str) -> Choice:
    example = f'{{}} or {{"{contract.JOB_NAME_INPUT}": "sales-7"}}'
    others = refuse_other_inputs(names.INPUTS.values(), example=example)
    return Choice(rules=(*others, *(_refuse_invalid(*pair) for pair in names.INPUTS.items())), default=after)


def _refuse_invalid(variable: str, key: str) -> Rule:
    assign = assign_failure(
        "InvalidName",
        f"'{key}: SageMaker does not allow the name \"' & $string(${variable}) & '\"; allowed: {names.NAME_RULE}'",
    )
    return Rule(condition=names.is_invalid(f"${variable}"), next=FAILED, assign=assign)
