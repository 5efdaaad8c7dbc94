"""Executes a deployed pipeline and reports what it did."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import boto3

from headrace.contract import OUTCOME_OUTPUT, Outcome
from headrace.errors import HeadraceError
from headrace.local.platform.deployment import Deployment
from headrace.pipeline import executions
from headrace.pipeline.history import Visit
from headrace.recipes import Recipe
from headrace.s3.addresses import S3Address
from headrace.workloads.evaluation import ClassResult, list_class_results, unpack_evaluation

_POLL_SECONDS: Final = 0.2


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
    return executions.start_execution(deployment.live_alias_arn(workload), names, name)


def follow_execution(arn: str, on_state: Callable[[str], None]) -> ExecutionReport:
    """Wait for an execution's end, reporting each state it enters.

    Raises:
        PipelineError: If it fails; with its error and cause.
    """
    seen: set[Visit] = set()

    def report(visit: Visit) -> None:
        if visit not in seen:
            on_state(visit.name)
        seen.add(visit)

    execution, history = executions.follow_execution(arn, report, _POLL_SECONDS)
    if execution.status != "SUCCEEDED":
        raise PipelineError(f"{execution.error or execution.status}: {execution.cause}")
    return ExecutionReport(
        name=execution.name,
        seconds=execution.seconds or 0,
        states=tuple(StateRun(name=visit.name, seconds=visit.seconds or 0) for visit in history.visits),
        output=json.loads(execution.output),
    )


def read_classes(report: ExecutionReport) -> tuple[ClassResult, ...]:
    """How the model did by class; none where its training program has written no confusion."""
    s3: Any = boto3.client("s3")
    model = S3Address.parse(report.output["ModelDataUrl"])
    # SageMaker packs what a job leaves in its output folder beside the model, if there is anything.
    key = model.key.removesuffix(model.name) + "output.tar.gz"
    try:
        archive = s3.get_object(Bucket=model.bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return ()
    return list_class_results(unpack_evaluation(archive))


def invoke_endpoint(endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
    """What the endpoint answers."""
    runtime: Any = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint_name, Body=body, ContentType=content_type, Accept=accept)
    return bytes(answer["Body"].read())
