"""Runs the deployed training pipeline and tells what it did."""

import csv
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from millrace import contract
from millrace.local.deployment import Deployment

PREDICTED_ROWS = 5
_POLL_SECONDS = 0.2


class PipelineError(RuntimeError):
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


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One row of the data, what the endpoint answers for it and, where the row tells, the true value."""

    row: dict[str, str]
    predicted: float
    actual: float | None


def upload_rows(deployment: Deployment, data: Path) -> None:
    """Make a file the only raw rows the pipeline finds."""
    s3: Any = boto3.client("s3")
    key = contract.RAW_PREFIX + data.name
    s3.upload_file(str(data), deployment.raw_bucket, key)
    listing = s3.get_paginator("list_objects_v2").paginate(Bucket=deployment.raw_bucket, Prefix=contract.RAW_PREFIX)
    for found in itertools.chain.from_iterable(page.get("Contents", []) for page in listing):
        if found["Key"] != key:
            s3.delete_object(Bucket=deployment.raw_bucket, Key=found["Key"])


def start_execution(deployment: Deployment, name: str, names: dict[str, str]) -> str:
    """Start the pipeline with the names given and return the execution's ARN."""
    states: Any = boto3.client("stepfunctions")
    answer = states.start_execution(stateMachineArn=deployment.state_machine_arn, name=name, input=json.dumps(names))
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


def predict_rows(endpoint_name: str, data: Path, target: str) -> list[Prediction]:
    """Ask the endpoint about a few rows of a file, spread over it, as a client would."""
    rows = _spread(data, PREDICTED_ROWS)
    answered = invoke_endpoint(endpoint_name, to_csv(rows), content_type="text/csv", accept="application/json")
    values = json.loads(answered)["predictions"]
    return [
        Prediction(row=row, predicted=float(value), actual=float(row[target]) if row.get(target) else None)
        for row, value in zip(rows, values, strict=True)
    ]


def invoke_endpoint(endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
    """What the endpoint answers."""
    runtime: Any = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint_name, Body=body, ContentType=content_type, Accept=accept)
    return bytes(answer["Body"].read())


def to_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """Rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


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


def _spread(data: Path, count: int) -> list[dict[str, str]]:
    with data.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    step = max(1, len(rows) // count)
    return rows[::step][:count]
