"""Tasks of state machines that run jobs, on a control plane and an engine that only remember."""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from headrace.local.engine.ministack import step_functions
from headrace.local.engine.ministack.step_functions import SageMakerTasks

EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:machine:one"
TASK = "arn:aws:states:::sagemaker:createTrainingJob.sync"


class Job:
    """A control plane and an engine with one job and one execution."""

    operations = frozenset({"CreateTrainingJob", "StopTrainingJob"})

    def __init__(self) -> None:
        self.called: list[str] = []
        self.status = "RUNNING"
        self.while_made: Callable[[], object] = lambda: None

    @property
    def sagemaker(self) -> "Job":
        return self

    @property
    def _executions(self) -> Mapping[str, Mapping[str, str]]:
        return {EXECUTION: {"status": self.status}}

    def authorize_task(self, *, is_waited_for: bool) -> None:
        assert is_waited_for

    def call(self, operation: str, _request: Mapping[str, Any], _authorize: object = None) -> dict[str, Any]:
        if operation == "CreateTrainingJob":
            self.while_made()
        self.called.append(operation)
        return {}

    def wait(self, _kind: str, _name: str) -> dict[str, str]:
        return {"TrainingJobStatus": "Stopped" if "StopTrainingJob" in self.called else "Completed"}

    def abort(self, _request: object) -> None:
        self.status = "ABORTED"


def run(job: Job, *, is_stopped: bool) -> Any:
    """Run the task as the thread of its execution does, which may be stopped while the job is being made."""
    fake: Any = job
    tasks = SageMakerTasks(fake, fake)
    if is_stopped:
        stop = tasks.stopping_jobs(job.abort)
        job.while_made = lambda: stop({"executionArn": EXECUTION})

    def run_task() -> Any:
        step_functions._execution_arn.set(EXECUTION)
        return tasks.run(TASK, {"TrainingJobName": "job"})

    return contextvars.copy_context().run(run_task)


def test_waits_for_the_end_of_a_job() -> None:
    job = Job()

    assert run(job, is_stopped=False) == {"TrainingJobStatus": "Completed"}
    assert job.called == ["CreateTrainingJob"]


def test_stops_a_job_whose_execution_was_stopped_while_it_was_being_made() -> None:
    job = Job()

    with pytest.raises(SystemExit):
        run(job, is_stopped=True)

    assert job.called == ["CreateTrainingJob", "StopTrainingJob"]
