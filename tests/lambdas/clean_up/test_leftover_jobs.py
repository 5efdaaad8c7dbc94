"""A job whose creation was answered with an error is made a second time, and must not run on unnoticed."""

from dataclasses import dataclass, field
from typing import Any

from headrace.contract import EXECUTION_TAG
from lambdas.clean_up.executions import Request
from lambdas.clean_up.sagemaker import Sweep


@dataclass
class SageMaker:
    """Training jobs by their names, each with its status and the execution that it belongs to."""

    jobs: dict[str, tuple[str, str]]
    stopped: list[str] = field(default_factory=list)

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        status = "Stopped" if TrainingJobName in self.stopped else self.jobs[TrainingJobName][0]
        return {"TrainingJobStatus": status, "TrainingJobArn": TrainingJobName, "BillableTimeInSeconds": 7}

    def stop_training_job(self, TrainingJobName: str) -> None:  # noqa: N803
        self.stopped.append(TrainingJobName)

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": [{"Key": EXECUTION_TAG, "Value": self.jobs[ResourceArn][1]}]}


def sweep(client: SageMaker) -> Sweep:
    requests = [
        Request(operation="createTrainingJob", arguments={"TrainingJobName": name}, result={}) for name in client.jobs
    ]
    return Sweep(client, execution="run-1", requests=requests, give_up=lambda: False, find_noted=lambda: None)


def test_stops_what_still_runs_when_an_execution_has_succeeded() -> None:
    client = SageMaker({"run-1": ("InProgress", "run-1"), "run-1-retry1": ("Completed", "run-1")})

    found = sweep(client).finish()

    assert client.stopped == ["run-1"]
    assert found.removed == ["TrainingJob run-1"]
    assert [(job.name, job.billed_seconds) for job in found.jobs] == [("run-1", 7), ("run-1-retry1", 7)]


def test_leaves_jobs_of_others_alone_when_an_execution_has_succeeded() -> None:
    client = SageMaker({"run-1": ("InProgress", "another")})

    found = sweep(client).finish()

    assert (client.stopped, found.removed, found.jobs) == ([], [], [])
