"""Where state machines and their definitions are found: in the account, and in the app that `cdk synth` wrote."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from headrace import contract
from headrace.assemblies import Assembly, read_folder
from headrace.assemblies.assembly import list_resources
from headrace.errors import HeadraceError
from headrace.recipes import Recipe

_ARN: Final = re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:(stateMachine|execution):([^:]+)(?::.+)?")
_KIND: Final = "AWS::StepFunctions::StateMachine"
# What would end the text of the definition that it stands in.
_QUOTES: Final = str.maketrans({'"': "'", "\\": "/"})


class NoStateMachineError(HeadraceError):
    """There is no such state machine."""


class OtherMachineError(HeadraceError):
    """An execution is of another state machine."""


def find_machine(environment: str, recipe: Recipe) -> str:
    """The ARN of a workload's state machine in an environment, as its stack says.

    Raises:
        NoStateMachineError: If the stack does not stand.
    """
    return _read_outputs(environment, recipe)[recipe.state_machine_output]


def find_live_alias(environment: str, recipe: Recipe) -> str:
    """What executions of a workload's state machine are started by: its alias, or itself where it has none yet.

    Raises:
        NoStateMachineError: If the stack does not stand.
    """
    outputs = _read_outputs(environment, recipe)
    return outputs.get(recipe.live_alias_output, outputs[recipe.state_machine_output])


def _read_outputs(environment: str, recipe: Recipe) -> dict[str, str]:
    """The outputs of a workload's stack, with its state machine among them."""
    outputs = read_outputs(environment, recipe.stack_id)
    if recipe.state_machine_output not in outputs:
        raise NoStateMachineError(
            f"the environment '{environment}' has no state machine for {recipe} in {boto3.Session().region_name}: "
            "deploy it, or choose another with --env, --workload or --region; --local is for the local cloud"
        )
    return outputs


def read_outputs(environment: str, stack: str, client: Any = None) -> dict[str, str]:
    """The outputs of one stack of an environment by their names; none where it does not stand.

    Args:
        environment: The environment.
        stack: The stack's id.
        client: CloudFormation's client; by default, one of this process's session.
    """
    cloudformation: Any = client or boto3.client("cloudformation")
    try:
        stacks = cloudformation.describe_stacks(StackName=contract.stack_name(environment, stack))["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        stacks = []
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}


def find_named_machine(name: str) -> str:
    """The ARN of a state machine of the account, by its name or its ARN.

    Raises:
        NoStateMachineError: If there is none.
    """
    if _ARN.fullmatch(name):
        return name
    states: Any = boto3.client("stepfunctions")
    pages = states.get_paginator("list_state_machines").paginate()
    machines = {machine["name"]: machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]}
    if name not in machines:
        raise NoStateMachineError(
            f"there is no state machine '{name}'; there are: {', '.join(sorted(machines)) or 'none'}"
        )
    return str(machines[name])


def find_named_start(name: str) -> str:
    """What executions of a state machine are started by: its alias, or itself where it has none; an ARN as it is.

    Raises:
        NoStateMachineError: If there is none of that name.
    """
    if _ARN.fullmatch(name):
        return name
    machine = find_named_machine(name)
    return machine if _find_live_version(machine) is None else f"{machine}:{contract.LIVE_ALIAS}"


def read_live_definition(machine_arn: str) -> str:
    """The definition that executions run: that of the version that the alias leads to, or the latest without one.

    Raises:
        NoStateMachineError: If it does not exist.
    """
    return read_definition_of(_find_live_version(machine_arn) or machine_arn)


def _find_live_version(machine_arn: str) -> str | None:
    """The version that the alias of a state machine leads to, the one for most executions if these are two."""
    states: Any = boto3.client("stepfunctions")
    try:
        alias = states.describe_state_machine_alias(stateMachineAliasArn=f"{machine_arn}:{contract.LIVE_ALIAS}")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        return None
    return str(max(alias["routingConfiguration"], key=lambda route: route["weight"])["stateMachineVersionArn"])


def locate_execution(execution: str, machine_arn: str | None) -> str:
    """The ARN of an execution, by its name or its ARN.

    Args:
        execution: The name or the ARN.
        machine_arn: Whose it must be; with an ARN it may be left out.

    Raises:
        OtherMachineError: If it is another state machine's.
        NoStateMachineError: If there is a name only, and no state machine.
    """
    found = _ARN.fullmatch(execution)
    if found is None:
        if machine_arn is None:
            raise NoStateMachineError(f"'{execution}' is not the ARN of an execution: say of which state machine it is")
        return make_execution_arn(machine_arn, execution)
    if machine_arn and name_machine(machine_arn) != found[2]:
        raise OtherMachineError(f"'{execution}' is an execution of {found[2]}, not of {name_machine(machine_arn)}")
    return execution


def make_execution_arn(machine_arn: str, name: str) -> str:
    """The ARN of an execution of a state machine, which may be named by its alias."""
    (*place, _kind, machine) = machine_arn.split(":")[:7]
    return ":".join([*place, "execution", machine, name])


def name_machine(arn: str) -> str:
    """The name of a state machine or of that of an execution, from its ARN."""
    found = _ARN.fullmatch(arn)
    return found[2] if found else arn


def read_definition_of(arn: str, states: Any = None) -> str:
    """The definition of a state machine; of an execution's, as it was when the execution began.

    Args:
        arn: The state machine or the execution.
        states: The client; by default, one of this process's session.

    Raises:
        NoStateMachineError: If it does not exist.
    """
    states = states or boto3.client("stepfunctions")
    try:
        if ":execution:" in arn:
            return str(states.describe_state_machine_for_execution(executionArn=arn)["definition"])
        return str(states.describe_state_machine(stateMachineArn=arn)["definition"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("StateMachineDoesNotExist", "InvalidArn"):
            raise
        raise NoStateMachineError(f"there is no state machine '{name_machine(arn)}' any more") from None


def read_synthesized(folder: Path, name: str) -> str:
    """The definition of a state machine of a synthesized app, with `${…}` where CloudFormation fills in.

    Args:
        folder: What `cdk synth` wrote.
        name: Its stack, such as `BigMart`, or its stack and logical id, as in `BigMart/Pipeline`.

    Raises:
        AssemblyError: If the folder holds no synthesized app.
        NoStateMachineError: If there is no such state machine, or a stack has several.
    """
    machines = dict(_list_synthesized(read_folder(folder)))
    found = [key for key in machines if name in (key, key.partition("/")[0])]
    if len(found) != 1:
        what = "several state machines" if found else "no state machine"
        raise NoStateMachineError(
            f"{folder} has {what} of the name '{name}'; it has: {', '.join(found or machines) or 'none'}"
        )
    return machines[found[0]]


def _list_synthesized(app: Assembly) -> Iterator[tuple[str, str]]:
    for stack, template in app.templates.items():
        for logical_id, resource in list_resources(template).items():
            if resource["Type"] == _KIND:
                yield f"{stack}/{logical_id}", join_text(resource["Properties"].get("DefinitionString", ""))


def join_text(value: Any) -> str:
    """A text of a template, with what CloudFormation fills in spelt as `Fn::Sub` does."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(join_text, parts))
        case {"Fn::Sub": str(text)}:
            return text
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case Mapping():
            return f"${{{json.dumps(value).translate(_QUOTES)}}}"
    return str(value)
