"""A state machine as a graph: which states it has, and where each can lead."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.errors import HeadraceError, as_shown
from headrace.pipeline.conditions import explain_rule

# Nesting that no author writes, and that Python could not follow.
_MOST_NESTED: Final = 50
_SERVICE: Final = re.compile(r":states:::(?:aws-sdk:)?([\w-]+):(\w+)")
_WORDS: Final[Mapping[type, str]] = {dict: "an object with entries", list: "a list with entries", str: "a text"}
_OWN_RESOURCE: Final = re.compile(r":(function|activity):([^:]+)")
# What services are called where that is not their name with a capital.
_SERVICES: Final = {
    "apigateway": "API Gateway",
    "cloudwatchlogs": "CloudWatch Logs",
    "codebuild": "CodeBuild",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecs": "ECS",
    "eks": "EKS",
    "elasticmapreduce": "EMR",
    "emr": "EMR",
    "eventbridge": "EventBridge",
    "events": "EventBridge",
    "http": "HTTP",
    "iam": "IAM",
    "kms": "KMS",
    "rds": "RDS",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sesv2": "SES",
    "sfn": "Step Functions",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "states": "Step Functions",
}


class UnreadableDefinitionError(HeadraceError):
    """A state machine's definition that cannot be drawn."""


@dataclass(frozen=True)
class Transition:
    """A way from a state to another one of the same machine.

    Args:
        target: The name of the other state.
        label: When it is taken; empty where it always is.
        is_catch: Whether an error takes it.
    """

    target: str
    label: str = ""
    is_catch: bool = False


@dataclass(frozen=True)
class State:
    """One state.

    Args:
        name: Its name.
        kind: Its type, such as `Task`.
        work: What it does, in a few words.
        transitions: Where it can lead, in the order in which that is decided.
        ends: Whether its machine can end with it.
        machines: What runs inside it: the branches of a Parallel state, the iteration of a Map state.
    """

    name: str
    kind: str
    work: str
    transitions: tuple[Transition, ...] = ()
    ends: bool = False
    machines: tuple["Machine", ...] = ()


@dataclass(frozen=True)
class Machine:
    """A state machine, or one that runs inside a state.

    Args:
        start: The name of its first state.
        states: Its states by name.
        comment: What its author says it is.
    """

    start: str
    states: Mapping[str, State]
    comment: str = ""

    def walk(self) -> Iterator[State]:
        """All its states, those inside others included."""
        for state in self.states.values():
            yield state
            for machine in state.machines:
                yield from machine.walk()


def read_definition(text: str | bytes, place: object) -> Machine:
    """The graph of a definition in Amazon States Language.

    Args:
        text: The definition, in JSON.
        place: Where it is from, for messages.

    Raises:
        UnreadableDefinitionError: If it is not JSON, or not a state machine.
    """
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableDefinitionError(f"{place}: is not JSON: {error}") from error
    return _Reader(place).read_machine(definition, ())


class _Reader:
    def __init__(self, place: object) -> None:
        self._place = place

    def read_machine(self, definition: Any, inside: tuple[str, ...]) -> Machine:
        if len(inside) > _MOST_NESTED:
            raise self._refuse(inside, f"has states in more than {_MOST_NESTED} others")
        states = self._get(definition, "States", dict, inside)
        start = self._get(definition, "StartAt", str, inside)
        read = {name: self._read_state(name, state, (*inside, name)) for name, state in states.items()}
        self._check_targets([(start, "StartAt")], read, inside)
        for state in read.values():
            self._check_targets(((way.target, f"'{state.name}'") for way in state.transitions), read, inside)
        comment = definition.get("Comment")
        return Machine(start, read, comment if isinstance(comment, str) else "")

    def _check_targets(
        self, targets: Iterator[tuple[str, str]] | list[tuple[str, str]], states: Mapping[str, State], inside: Any
    ) -> None:
        for target, leader in targets:
            if target not in states:
                raise self._refuse(inside, f"is wrong: {leader} leads to '{target}', which is not a state there")

    def _read_state(self, name: str, state: Any, inside: tuple[str, ...]) -> State:
        kind = self._get(state, "Type", str, inside)
        machines = [*self._list(state, "Branches", inside)]
        machines += [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        return State(
            name,
            kind,
            _explain_work(kind, state),
            tuple(self._read_transitions(state, inside)),
            ends=bool(state.get("End")) or kind in ("Succeed", "Fail"),
            machines=tuple(self.read_machine(machine, inside) for machine in machines),
        )

    def _read_transitions(self, state: Mapping[str, Any], inside: tuple[str, ...]) -> Iterator[Transition]:
        for rule in self._list(state, "Choices", inside):
            yield Transition(self._get(rule, "Next", str, inside), explain_rule(rule))
        if "Default" in state:
            yield Transition(self._get(state, "Default", str, inside), "Default")
        if "Next" in state:
            yield Transition(self._get(state, "Next", str, inside))
        for number, catcher in enumerate(self._list(state, "Catch", inside), start=1):
            errors = ", ".join(map(str, self._list(catcher, "ErrorEquals", inside)))
            yield Transition(self._get(catcher, "Next", str, inside), f"Catch #{number}: {errors}", is_catch=True)

    def _list(self, holder: Any, key: str, inside: tuple[str, ...]) -> list[Any]:
        return self._get(holder, key, list, inside) if isinstance(holder, dict) and key in holder else []

    def _get(self, holder: Any, key: str, kind: type, inside: tuple[str, ...]) -> Any:
        value = holder.get(key) if isinstance(holder, dict) else None
        if not isinstance(value, kind) or not value:
            raise self._refuse(inside, f"needs {key}, which must be {_WORDS[kind]}")
        return value

    def _refuse(self, inside: tuple[str, ...], reason: str) -> UnreadableDefinitionError:
        where = f"the state {' / '.join(map(as_shown, inside))}" if inside else "the definition"
        return UnreadableDefinitionError(f"{self._place}: {where} {as_shown(reason)}")


def _explain_work(kind: str, state: Mapping[str, Any]) -> str:
    """What a state does, as the console of Step Functions puts it."""
    if kind == "Task":
        return _explain_resource(str(state.get("Resource", "")))
    if kind == "Wait" and isinstance(state.get("Seconds"), int):
        return f"Wait state: {state['Seconds']} s"
    processor = state.get("ItemProcessor")
    mode = processor.get("ProcessorConfig", {}).get("Mode") if isinstance(processor, dict) else None
    return "Distributed Map state" if mode == "DISTRIBUTED" else f"{kind} state"


def _explain_resource(resource: str) -> str:
    if called := _SERVICE.search(resource):
        service, action = called.groups()
        return f"{_SERVICES.get(service.lower(), service.title())}: {action[0].upper()}{action[1:]}"
    if own := _OWN_RESOURCE.search(resource):
        return f"{'Lambda' if own[1] == 'function' else 'Activity'}: {own[2]}"
    return "Task state"
