"""State machines executed by the engine's interpreter, with answers of SageMaker's that a test gives."""

import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

OUT_OF_QUOTA = "SageMaker.ResourceLimitExceededException"
THROTTLED = "SageMaker.AmazonSageMakerException"


class TaskError(Exception):
    """An answer that is an error."""

    def __init__(self, error: str, cause: str | None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass
class Execution:
    """How an execution went."""

    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    requests: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def list_operations(self) -> list[str]:
        """What SageMaker was asked for, in order."""
        return [operation for operation, _ in self.requests]


def execute(
    definition: Mapping[str, Any], given: Any, answers: Mapping[str, Sequence[Any]], *, name: str = "run-1"
) -> Execution:
    """Execute a definition with an input.

    Args:
        definition: As read out of a template.
        given: The execution's input.
        answers: What SageMaker answers to each operation, one after the other; the last one to all further requests.
        name: The execution's name.
    """
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    waiting: dict[str, Iterator[Any]] = {operation: _repeat_last(given) for operation, given in answers.items()}
    found = Execution()

    def answer(resource: str, arguments: Mapping[str, Any]) -> Any:
        operation = resource.rpartition("sagemaker:")[2].removesuffix(".sync")
        found.requests.append((operation, arguments))
        result = next(waiting[operation])
        if isinstance(result, TaskError):
            raise states._ExecutionError(result.error, result.cause)
        return result(arguments) if callable(result) else result

    machine = {"definition": json.dumps(definition), "name": "machine"}
    record: dict[str, Any] = {"stateMachineArn": "machine", "name": name, "startDate": "", "input": json.dumps(given)}
    record |= {"status": "RUNNING", "events": []}
    with (
        patch.multiple(
            states,
            _state_machines={"machine": machine},
            _executions={"execution": record},
            _invoke_resource=answer,
            _scaled_sleep=found.waits.append,
            _emit_execution_status_event=lambda _: None,
        ),
        patch.object(states.time, "sleep"),
    ):
        states._run_execution("execution")
    found.status, found.output = str(record["status"]), json.loads(str(record["output"]))
    found.error, found.cause = str(record.get("error", "")), str(record.get("cause", ""))
    return found


def _repeat_last(answers: Sequence[Any]) -> Iterator[Any]:
    yield from answers
    while True:
        yield answers[-1]


def fill_tokens(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as deployed: with a word for whatever CloudFormation fills in."""
    filled: dict[str, Any] = json.loads(re.sub(r"<\{'[^>]*\}>", "filled", json.dumps(definition)))
    return filled
