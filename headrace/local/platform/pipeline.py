"""Executes a deployed pipeline and reports what it did."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

from headrace.contract import OUTCOME_OUTPUT, Outcome
from headrace.errors import HeadraceError
from headrace.local.platform.deployment import Deployment
from headrace.recipes import Recipe

_POLL_SECONDS = 0.2


class PipelineError(HeadraceError):
    """An execution that did not succeed; the message is its cause."""


@dataclass(frozen=True, kw_only=True)
class StateRun:
    """One visit of an execution to a state."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ExecutionReport:
    """An execution that succeeded: the states it went through and what it made."""

    name: str
    seconds: float
    states: tuple[StateRun, ...]
    output: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        """How it has ended."""
        return Outcome(self.output.get(OUTCOME_OUTPUT, Outcome.SERVING))


def start_execution(deployment: Deployment, workload: Recipe, name: str, names: dict[str, str]) -> str:
    """Start a workload's pipeline with the names given and return the execution's ARN."""
    states: Any = boto3.client("stepfunctions")
    answer = states.start_execution(
        stateMachineArn=deployment.state_machine_arn(workload), name=name, input=json.dumps(names)
    )
    return str(answer["executionArn"])


def follow_execution(arn: str, on_state: Callable[[str], None]) -> ExecutionReport:
    """Wait for an execution's end, telling each state it enters.

    Raises:
        PipelineError: If it fails; with its error and cause.
    """
    states: Any = boto3.client("stepfunctions")
    seen = 0
    while True:
        execution = states.describe_execution(executionArn=arn)
        entered = [name for name, _ in _entries(states, arn)]
        for name in entered[seen:]:
            on_state(name)
        seen = len(entered)
        if execution["status"] != "RUNNING":
            break
        time.sleep(_POLL_SECONDS)
    if execution["status"] != "SUCCEEDED":
        raise PipelineError(f"{execution.get('error', execution['status'])}: {execution.get('cause', '')}")
    return ExecutionReport(
        name=execution["name"],
        seconds=(execution["stopDate"] - execution["startDate"]).total_seconds(),
        states=tuple(_measure(_entries(states, arn), execution["stopDate"])),
        output=json.loads(execution["output"]),
    )


def invoke_endpoint(endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
    """What the endpoint answers."""
    runtime: Any = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint_name, Body=body, ContentType=content_type, Accept=accept)
    return bytes(answer["Body"].read())


def _entries(states: Any, arn: str) -> list[tuple[str, datetime]]:
    """The states an execution has entered so far, with the times."""
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=False)
    return [
        (event["stateEnteredEventDetails"]["name"], event["timestamp"])
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]


def _measure(entries: list[tuple[str, datetime]], end: datetime) -> Iterator[StateRun]:
    times = [*(time for _, time in entries), end]
    for (name, entered), left in zip(entries, times[1:], strict=True):
        yield StateRun(name=name, seconds=(left - entered).total_seconds())
