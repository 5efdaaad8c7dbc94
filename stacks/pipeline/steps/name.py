"""Name what the execution makes, and refuse names and inputs that SageMaker would refuse later."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace import contract
from stacks.pipeline import endpoint_actions, names, quota
from stacks.pipeline.asl import Choice, Pass, Rule, State, jsonata
from stacks.pipeline.execution_input import refuse, refuse_other_inputs
from stacks.pipeline.failure import FAILED, assign_failure
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.step import Step

_CHECK: Final = "Check Names"


def name(endpoint_name: str, registry: ModelRegistry, also: Mapping[str, Any], *, is_stoppable: bool) -> Step:
    """Take names from the execution's input, or make them of the execution's name.

    Args:
        endpoint_name: The endpoint, if the input names none.
        registry: Where a version that the input names may be, and an archive.
        also: Other variables to assign.
        is_stoppable: Whether the input may ask for the endpoint to be stopped or started.
    """

    def states(after: str) -> Mapping[str, State]:
        return {
            "Name Resources": _name_resources(endpoint_name, also),
            _CHECK: _check_names(registry, after, is_stoppable=is_stoppable),
        }

    return states


def _name_resources(endpoint_name: str, also: Mapping[str, Any]) -> Pass:
    given = {variable: jsonata(names.given_or_derived(key)) for variable, key in names.INPUTS.items()}
    given["endpoint_name"] = jsonata(names.given_or(contract.ENDPOINT_NAME_INPUT, f"'{endpoint_name}'"))
    return Pass(
        assign={
            "request": jsonata("$states.input"),
            **given,
            "execution": jsonata(names.name_from_execution()),
            "config": jsonata(names.name_from_execution()),
            **quota.VARIABLES,
            **also,
        },
        next=_CHECK,
    )


def _check_names(registry: ModelRegistry, after: str, *, is_stoppable: bool) -> Choice:
    example = f'{{}} or {{"{contract.JOB_NAME_INPUT}": "sales-7"}}'
    keys = [*names.INPUTS.values(), contract.MODEL_PACKAGE_ARN_INPUT, contract.MODEL_DATA_URL_INPUT]
    return Choice(
        rules=(
            *refuse_other_inputs([*keys, *endpoint_actions.KEYS] if is_stoppable else keys, example=example),
            *(endpoint_actions.refuse_wrong_actions(keys) if is_stoppable else ()),
            *(_refuse_invalid(*pair) for pair in names.INPUTS.items()),
            *_refuse_ways_in(registry),
        ),
        default=after,
    )


def _refuse_ways_in(registry: ModelRegistry) -> Iterator[Rule]:
    """What is wrong with a version or an archive that the input names, and with what it names besides."""
    package, archive = contract.MODEL_PACKAGE_ARN_INPUT, contract.MODEL_DATA_URL_INPUT
    has_package, has_archive = f"$exists($request.{package})", f"$exists($request.{archive})"
    yield refuse(f"{has_package} and {has_archive}", f"'give either {package} or {archive}, not both'")
    yield _refuse_value(
        package,
        registry.is_version(f"$request.{package}"),
        f"a version in the model package group {registry.group}, such as {registry.version_arns}1",
    )
    yield _refuse_value(
        archive,
        registry.is_archive(f"$request.{archive}"),
        f"an archive whose name ends with .tar.gz, below {' or '.join(registry.list_addresses())}",
    )
    for way_in, unused in (
        (package, contract.JOB_NAME_INPUT),
        (archive, contract.JOB_NAME_INPUT),
        # A person approves it, and the execution that then starts names the model.
        (archive, contract.MODEL_NAME_INPUT),
    ):
        yield refuse(
            f"$exists($request.{way_in}) and $exists($request.{unused})",
            f"'{unused}: an execution with {way_in} makes nothing of that name; leave it out'",
        )


def _refuse_value(key: str, is_right: str, allowed: str) -> Rule:
    value = f"$request.{key}"
    return refuse(
        f"$exists({value}) and ($type({value}) = 'string' ? $not({is_right}) : true)",
        f"'{key}: found ' & $string({value}) & '; allowed: {allowed}'",
    )


def _refuse_invalid(variable: str, key: str) -> Rule:
    assign = assign_failure(
        "InvalidName",
        f"'{key}: SageMaker does not allow the name \"' & $string(${variable}) & '\"; allowed: {names.NAME_RULE}'",
    )
    return Rule(condition=names.is_invalid(f"${variable}"), next=FAILED, assign=assign)
