"""State machines executed by the local cloud's interpreter, with answers of SageMaker's that a test gives."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.definition.checker import check_definition
from headrace.local.engine.asl.execution import Execution as Interpreted
from headrace.local.engine.asl.execution import Identity, Status
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.surroundings import ItemSource, TaskCall
from headrace.pipeline.causes import read_cause
from lambdas.registrar.contract import Request
from tests.headrace.local.engine.asl.virtual import VirtualClock, run_virtually
from tests.stacks.turns_held import TurnsHeld

OUT_OF_QUOTA = "SageMaker.ResourceLimitExceededException"
EXECUTIONS = "arn:aws:states:us-east-1:000000000000:execution:machine"
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


class AnsweredTasks:
    """Answers SageMaker's operations, and writes down what was asked; those about turns, turns answer.

    Args:
        answers: What SageMaker answers to each operation, one after the other; the last one to all further requests.
        requests: Where the requests are written.
        turns: Whose turn it is at an endpoint.
    """

    def __init__(
        self,
        answers: Mapping[str, Sequence[Any]],
        requests: list[tuple[str, Mapping[str, Any]]],
        turns: TurnsHeld,
    ) -> None:
        self._waiting = {operation: _repeat_last(given) for operation, given in answers.items()}
        self._requests = requests
        self._turns = turns

    async def run(self, call: TaskCall) -> Any:
        if call.resource.endswith("lambda:invoke") and "Failure" in call.arguments["Payload"]:
            return self._clean_up(call.arguments["Payload"])
        service, operation = call.resource.removesuffix(".sync").split(":")[-2:]
        if service in ("s3", "sfn") and operation not in self._waiting:
            return self._turns.run(operation, call.arguments)
        # Functions have no names here, so that which keeps records goes by what it is asked.
        if Request.MODEL_DATA in call.arguments.get("Payload", ()):
            operation = "record"
        self._requests.append((operation, call.arguments))
        result = next(self._waiting[operation])
        if isinstance(result, TaskError):
            raise StateFailedError(result.error, result.cause)
        return result(call.arguments) if callable(result) else result

    def _clean_up(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the function that ends executions does."""
        failure = event["Failure"]
        if event["Redrives"] > failure["Redrives"]:
            return {}
        said = {"errorMessage": failure["Cause"], "errorType": failure["Error"], "requestId": "1", "stackTrace": []}
        raise StateFailedError(failure["Error"], json.dumps(said))

    async def read_items(self, source: ItemSource) -> list[Any]:
        raise NotImplementedError(source)

    async def begin_map_run(self, run: Any) -> None:
        raise NotImplementedError(run)


def execute(
    definition: Mapping[str, Any],
    given: Any,
    answers: Mapping[str, Sequence[Any]],
    *,
    name: str = "run-1",
    turns: TurnsHeld | None = None,
    redrives: int = 0,
    before_redrive: Callable[[], object] = lambda: None,
) -> Execution:
    """Execute a definition with an input.

    Args:
        definition: As read out of a template.
        given: The execution's input.
        answers: What SageMaker answers to each operation, one after the other; the last one to all further requests.
        name: The execution's name.
        turns: Whose turn it is at an endpoint; that of no execution unless this says so.
        redrives: How often it is redriven if it fails or takes too long.
        before_redrive: What happens before each redrive.
    """
    found, clock = Execution(), VirtualClock()
    execution = Interpreted(
        check_definition(json.dumps(definition)),
        given,
        identity=Identity(
            arn=f"{EXECUTIONS}:{name}",
            name=name,
            role_arn="role",
            machine_arn="machine",
            machine_name="machine",
            started=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        tasks=AnsweredTasks(answers, found.requests, turns or TurnsHeld()),
        clock=clock,
        callbacks=Callbacks(),
        events=[],
    )
    run_virtually(execution.run())
    while execution.status in (Status.FAILED, Status.TIMED_OUT) and execution.redrive_count < redrives:
        before_redrive()
        execution.redrive()
        run_virtually(execution.run())
    found.status, found.output, found.waits = str(execution.status), execution.output, clock.waits
    found.error, found.cause = execution.error or "", read_cause(execution.cause or "")
    return found


def _repeat_last(answers: Sequence[Any]) -> Iterator[Any]:
    yield from answers
    while True:
        yield answers[-1]


def fill_tokens(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as deployed: with a word for whatever CloudFormation fills in."""
    filled: dict[str, Any] = json.loads(re.sub(r"<\{'[^>]*\}>", "filled", json.dumps(definition)))
    return filled
