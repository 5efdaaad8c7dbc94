"""Executions of state machines: listed, drawn, and told state by state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from markupsafe import Markup

from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.pipeline.definition import UnreadableDefinitionError, read_definition
from headrace.pipeline.drawing import draw_execution, draw_machine
from headrace.pipeline.executions import make_execution, read_events
from headrace.pipeline.history import Execution, History, read_history
from headrace.pipeline.machines import NoStateMachineError, make_execution_arn, read_definition_of

_RECENT: Final = 10
_MOST: Final = 100
_BUSY_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 4.0


@dataclass(frozen=True)
class Machine:
    """A state machine and its latest executions."""

    name: str
    arn: str
    executions: list[Execution]

    @property
    def is_busy(self) -> bool:
        """Whether an execution goes on."""
        return any(execution.is_running for execution in self.executions)


def list_machines(clients: FindClient, most: int = _RECENT) -> Iterator[Machine]:
    """The state machines, each with its latest executions."""
    states = clients("stepfunctions")
    pages = states.get_paginator("list_state_machines").paginate()
    for found in (machine for page in pages for machine in page["stateMachines"]):
        yield Machine(found["name"], found["stateMachineArn"], _list_executions(states, found["stateMachineArn"], most))


def _list_executions(states: Any, arn: str, most: int) -> list[Execution]:
    try:
        found = states.list_executions(stateMachineArn=arn, maxResults=most)["executions"]
    except ClientError as error:
        # Those of EXPRESS machines are not listed.
        if error.response["Error"]["Code"] != "StateMachineTypeNotSupported":
            raise
        return []
    return [make_execution(each) for each in found]


class Executions:
    """The section of state machines and their executions.

    Args:
        clients: Finds the client of a service.
    """

    name: Final = "executions"
    title: Final = "Executions"

    def __init__(self, clients: FindClient) -> None:
        self._clients = clients

    def answer(self, request: Request) -> View:
        """All state machines, one of them, or one of its executions."""
        match request.segments[1:]:
            case []:
                machines = list(list_machines(self._clients))
                return show_machines(machines)
            case [machine]:
                return self._show_machine(machine)
            case [machine, execution]:
                return self._show_execution(machine, execution)
        raise PageError(404, "executions have a state machine and a name")

    def _show_machine(self, name: str) -> View:
        states = self._clients("stepfunctions")
        arn = self._find_machine(name)
        machine = Machine(name, arn, _list_executions(states, arn, _MOST))
        return show_machine(machine, read_definition_of(arn, states))

    def _show_execution(self, machine: str, name: str) -> View:
        states = self._clients("stepfunctions")
        arn = make_execution_arn(self._find_machine(machine), name)
        try:
            found = states.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
                raise
            raise PageError(404, f"{machine} has no execution {name!r}") from None
        history = read_history(read_events(arn, states=states))
        return show_execution(machine, found, history, read_definition_of(arn, states))

    def _find_machine(self, name: str) -> str:
        pages = self._clients("stepfunctions").get_paginator("list_state_machines").paginate()
        arns = (machine["stateMachineArn"] for page in pages for machine in page["stateMachines"])
        found = next((arn for arn in arns if arn.rpartition(":")[2] == name), None)
        if found is None:
            raise PageError(404, f"there is no state machine {name!r}")
        return str(found)


def show_machines(machines: list[Machine]) -> View:
    """All state machines with their latest executions."""
    is_busy = any(machine.is_busy for machine in machines)
    return View("executions.html", "Executions", {"machines": machines}, _BUSY_SECONDS if is_busy else _IDLE_SECONDS)


def show_machine(machine: Machine, definition: str) -> View:
    """One state machine, drawn, with its executions.

    Args:
        machine: It and its executions.
        definition: Its definition.
    """
    values = {
        "machine": machine,
        "drawing": _draw(lambda: draw_machine(read_definition(definition, machine.name), machine.name)),
    }
    return View("machine.html", machine.name, values, _BUSY_SECONDS if machine.is_busy else _IDLE_SECONDS)


def show_execution(machine: str, found: Mapping[str, Any], history: History, definition: str) -> View:
    """One execution: the drawing, its visits to states, and what went in and came out.

    Args:
        machine: The state machine's name.
        found: The execution as the API describes it.
        history: What it has done.
        definition: The state machine's definition when it began.
    """
    execution = make_execution(found)
    values = {
        "machine": machine,
        "execution": execution,
        "given": found.get("input") or "{}",
        "visits": history.visits,
        "drawing": _draw(
            lambda: draw_execution(read_definition(definition, machine), machine, execution, history),
        ),
    }
    return View("execution.html", execution.name, values, _BUSY_SECONDS if execution.is_running else None)


def _draw(draw: Any) -> Markup | str:
    """A drawing, or why there is none; what is written in it was escaped when it was drawn."""
    try:
        return Markup(draw())  # noqa: S704
    except (UnreadableDefinitionError, NoStateMachineError) as error:
        return str(error)
