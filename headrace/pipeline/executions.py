"""Executions of state machines, on AWS or on the local cloud: started, watched, listed and stopped."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from headrace.errors import HeadraceError
from headrace.pipeline.causes import read_cause
from headrace.pipeline.history import Event, Execution, History, Visit
from headrace.pipeline.machines import make_execution_arn

_PAGE: Final = 100


class NoSuchExecutionError(HeadraceError):
    """A state machine has no execution of that name."""


class StartInterruptedError(KeyboardInterrupt):
    """The call that starts an execution was interrupted, and may have started it.

    Args:
        arn: The execution's, if it was started.
    """

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


def name_execution() -> str:
    """A name for a new execution: when it was started, and what no other has."""
    return f"run-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def start_execution(machine_arn: str, request: Mapping[str, Any], name: str) -> str:
    """Start an execution; its ARN.

    Args:
        machine_arn: The state machine.
        request: The execution's input.
        name: The execution's name.

    Raises:
        StartInterruptedError: On Ctrl-C.
    """
    states = _client()
    try:
        answer = states.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(request))
    except KeyboardInterrupt:
        raise StartInterruptedError(make_execution_arn(machine_arn, name)) from None
    return str(answer["executionArn"])


def stop_execution(arn: str, cause: str) -> None:
    """Stop an execution, and with it the job that it waits for."""
    _client().stop_execution(executionArn=arn, cause=cause)


def read_execution(arn: str, states: Any = None) -> Execution:
    """An execution as a whole.

    Args:
        arn: The execution.
        states: The client; by default, one of this process's session.

    Raises:
        NoSuchExecutionError: If there is none.
    """
    try:
        found = (states or _client()).describe_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
            raise
        raise NoSuchExecutionError(
            f"there is no execution '{arn}'; 'headrace pipeline list' shows those there are"
        ) from None
    return make_execution(found)


def read_input(arn: str) -> Mapping[str, Any]:
    """What an execution was started with; nothing where that is not an object, or too large to be listed."""
    given = json.loads(_client().describe_execution(executionArn=arn).get("input") or "{}")
    return given if isinstance(given, dict) else {}


def list_executions(machine_arn: str) -> Iterator[Execution]:
    """The executions of a state machine, the latest first."""
    pages = _client().get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
    for found in (found for page in pages for found in page["executions"]):
        yield make_execution(found)


def make_execution(found: Mapping[str, Any]) -> Execution:
    """An execution as the API describes it; where it lists many, it leaves out what they ended with."""
    return Execution(
        arn=found["executionArn"],
        name=found["name"],
        machine_arn=found["stateMachineArn"],
        status=found["status"],
        started=found["startDate"],
        stopped=found.get("stopDate"),
        output=found.get("output") or "",
        error=found.get("error") or "",
        cause=read_cause(found.get("cause") or ""),
    )


def read_events(arn: str, after: int = 0, states: Any = None) -> list[Event]:
    """The events of an execution, the first of them first.

    Args:
        arn: The execution.
        after: The number of the last event that is known already.
        states: The client; by default, one of this process's session.
    """
    pages = (
        (states or _client())
        .get_paginator("get_execution_history")
        .paginate(
            executionArn=arn,
            includeExecutionData=False,
            # Most often few are new.
            reverseOrder=after > 0,
            PaginationConfig={"PageSize": _PAGE if after else 10 * _PAGE},
        )
    )
    events: list[Event] = []
    for event in (event for page in pages for event in page["events"]):
        if event["id"] <= after:
            break
        events.append(event)
    return events[::-1] if after else events


def follow_execution(arn: str, on_change: Callable[[Visit], object], poll_seconds: float) -> tuple[Execution, History]:
    """Wait for an execution's end.

    Args:
        arn: The execution.
        on_change: Is given each visit to a state that has begun, changed or ended.
        poll_seconds: How long to wait before looking again.

    Raises:
        NoSuchExecutionError: If there is no such execution.
    """
    # Making a client takes longer than asking it.
    history, states = History(), _client()
    while True:
        execution = read_execution(arn, states)
        for visit in history.read(read_events(arn, history.last_id, states)):
            on_change(visit)
        if not execution.is_running:
            return execution, history
        time.sleep(poll_seconds)


def _client() -> Any:
    return boto3.client("stepfunctions")
