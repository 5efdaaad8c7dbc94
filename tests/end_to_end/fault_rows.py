"""The rows of the fault matrix that run end to end."""

from dataclasses import dataclass
from typing import Final

# The endpoint that serves all the while.
SHOP: Final = "shop"
TRAIN: Final = "sagemaker:CreateTrainingJob"
PREPROCESS: Final = "sagemaker:CreateProcessingJob"
CREATE: Final = "sagemaker:CreateEndpoint"
UPDATE: Final = "sagemaker:UpdateEndpoint"
ALWAYS: Final = 100
# Stands for the name of an earlier execution.
TAKEN: Final = "an earlier one"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault, and how an execution ends that meets it.

    Args:
        preset: The fault; none if something else goes wrong.
        operation: The calls that meet it.
        times: How many do.
        job_name: What the jobs are called, if not like the execution.
        error: What the execution ends with; nothing if it gets over the fault.
        state: The state that fails.
        jobs: The jobs that the execution has made in all once it has succeeded, by the end of their names.
        endpoint: Where it serves.
    """

    preset: str = ""
    operation: str = ""
    times: int = ALWAYS
    job_name: str = ""
    error: str = ""
    state: str = ""
    jobs: tuple[str, ...]
    endpoint: str = SHOP

    @property
    def status(self) -> str:
        """How the execution ends at first."""
        return "FAILED" if self.error else "SUCCEEDED"


TRAINED: Final = ("ProcessingJob", "TrainingJob")
TRAINED_AGAIN: Final = (*TRAINED, "TrainingJob-redrive1")
ROWS: Final = {
    "a job's creation is throttled twice": Row(
        preset="throttle", operation=TRAIN, times=2, jobs=("ProcessingJob", "TrainingJob-retry2")
    ),
    "a job is created, and the answer is lost": Row(
        preset="lost", operation=TRAIN, times=1, jobs=(*TRAINED, "TrainingJob-retry1")
    ),
    "there is no capacity for a job": Row(
        preset="capacity", operation=TRAIN, error="TrainFailed", state="Train", jobs=TRAINED_AGAIN
    ),
    "a job fails": Row(
        preset="job-fails",
        operation=PREPROCESS,
        error="PreprocessFailed",
        state="Preprocess",
        jobs=("ProcessingJob", "ProcessingJob-redrive1", "TrainingJob-redrive1"),
    ),
    "a job exceeds its time": Row(
        preset="job-hangs", operation=TRAIN, error="TrainFailed", state="Train", jobs=TRAINED_AGAIN
    ),
    "a job's container crashes": Row(
        preset="container-crashes", operation=TRAIN, error="TrainFailed", state="Train", jobs=TRAINED_AGAIN
    ),
    "a job's name is taken": Row(
        job_name=TAKEN,
        error="PreprocessFailed",
        state="Preprocess",
        jobs=("ProcessingJob-redrive1", "TrainingJob-redrive1"),
    ),
    "the role may not create jobs": Row(
        preset="denied",
        operation=TRAIN,
        error="TrainFailed",
        state="Train",
        jobs=("ProcessingJob", "TrainingJob-redrive1"),
    ),
    "a new endpoint is never healthy": Row(
        preset="unhealthy",
        operation=CREATE,
        error="EndpointFailed",
        state="Endpoint In Service",
        jobs=TRAINED,
        endpoint="unhealthy",
    ),
    "an update is never healthy": Row(
        preset="unhealthy", operation=UPDATE, error="EndpointRolledBack", state="Endpoint In Service", jobs=TRAINED
    ),
    "an update is unhealthy after the switch": Row(
        preset="unhealthy-later",
        operation=UPDATE,
        error="EndpointRolledBack",
        state="Endpoint In Service",
        jobs=TRAINED,
    ),
}


def render() -> str:
    """The rows as the table of the page about faults."""
    lines = [
        "| what goes wrong | the execution ends with | jobs that there were at the end, redriven if it failed |",
        "|---|---|---|",
    ]
    for name, row in ROWS.items():
        ends = f"`{row.error}` in *{row.state}*" if row.error else "success"
        lines.append(f"| {name} | {ends} | {', '.join(f'`{job}`' for job in row.jobs)} |")
    return "\n".join(lines)
