"""Tasks of executions: what runs them, and those that run jobs, on a control plane that only remembers."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.surroundings import TaskCall
from headrace.local.engine.ministack.step_functions import SageMakerTasks
from headrace.local.engine.ministack.tasks import EngineTasks
from tests.patience import PATIENCE_SECONDS

TASK = "arn:aws:states:::sagemaker:createTrainingJob.sync"


class EngineError(Exception):
    """A failure of a task, as MiniStack raises it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


class Job:
    """A control plane and an engine with one job."""

    operations = frozenset({"CreateTrainingJob", "StopTrainingJob"})
    _ExecutionError = EngineError

    def __init__(self, *, lasts: bool) -> None:
        self.called: list[str] = []
        self.while_made: Callable[[], object] = lambda: None
        self.is_waited_for = threading.Event()
        self._has_ended = threading.Event()
        self._status = "Completed"
        if not lasts:
            self._has_ended.set()

    @property
    def sagemaker(self) -> "Job":
        return self

    def authorize_task(self, *, is_waited_for: bool) -> None:
        assert is_waited_for

    def call(self, operation: str, _request: Mapping[str, Any], _authorize: object = None) -> dict[str, Any]:
        if operation == "CreateTrainingJob":
            self.while_made()
        else:
            self._status = "Stopped"
            self._has_ended.set()
        self.called.append(operation)
        return {}

    def wait(self, _kind: str, _name: str) -> dict[str, str]:
        self.is_waited_for.set()
        assert self._has_ended.wait(PATIENCE_SECONDS)
        return {"TrainingJobStatus": self._status}

    def _invoke_resource(self, resource: str, arguments: dict[str, Any]) -> Any:
        fake: Any = self
        return SageMakerTasks(fake, fake).run(resource, arguments)


async def run_task(job: Any) -> Any:
    return await EngineTasks(job).run(TaskCall(state="A", resource=TASK, arguments={"TrainingJobName": "job"}))


async def run_and_cancel(job: Job, is_ready: threading.Event) -> None:
    work = asyncio.ensure_future(run_task(job))
    await asyncio.to_thread(is_ready.wait, PATIENCE_SECONDS)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


def test_waits_for_the_end_of_a_job() -> None:
    job = Job(lasts=False)

    assert asyncio.run(run_task(job)) == {"TrainingJobStatus": "Completed"}
    assert job.called == ["CreateTrainingJob"]


def test_stops_the_job_of_a_task_that_is_cancelled() -> None:
    job = Job(lasts=True)

    asyncio.run(run_and_cancel(job, job.is_waited_for))

    assert job.called == ["CreateTrainingJob", "StopTrainingJob"]


def test_stops_a_job_whose_task_was_cancelled_while_it_was_being_made() -> None:
    job = Job(lasts=True)
    is_being_made, may_be_made = threading.Event(), threading.Event()

    def make() -> None:
        is_being_made.set()
        assert may_be_made.wait(PATIENCE_SECONDS)

    job.while_made = make
    asyncio.run(run_and_cancel(job, is_being_made))
    may_be_made.set()

    assert job.is_waited_for.wait(PATIENCE_SECONDS)
    assert job.called == ["CreateTrainingJob", "StopTrainingJob"]


@pytest.mark.parametrize(
    ("raised", "error", "cause"),
    [(EngineError("Mine", "why"), "Mine", "why"), (KeyError("lost"), "States.Runtime", "'lost'")],
)
def test_fails_as_the_engine_does(raised: Exception, error: str, cause: str) -> None:
    class Engine:
        _ExecutionError = EngineError

        def _invoke_resource(self, _resource: str, _arguments: object) -> None:
            raise raised

    with pytest.raises(StateFailedError) as failure:
        asyncio.run(run_task(Engine()))

    assert (failure.value.error, failure.value.cause) == (error, cause)


def test_runs_no_task_that_is_to_be_another_roles() -> None:
    """As the state machine's, it could do what the other role may not, and not what that one may."""
    call = TaskCall(state="Train Elsewhere", resource=TASK, arguments={}, has_credentials=True)

    with pytest.raises(StateFailedError, match="'Train Elsewhere' has Credentials") as failed:
        asyncio.run(EngineTasks(None).run(call))

    assert failed.value.error == "States.Runtime"
