"""What an execution will cost, from executions over other amounts of data."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import linear_regression, mean

from headrace.cost.recorded import Recorded, RecordedJob, RecordingError

Sized = tuple[Recorded, float]


def predict(name: str, size: float, known: Sequence[Sized]) -> Recorded:
    """What an execution will use: each job takes some time to begin with, and more by the amount of data.

    Args:
        name: What it is called.
        size: How much data it is over, in any unit.
        known: Executions with how much data they were over, in the same unit.

    Raises:
        RecordingError: If there are fewer than two amounts, or the executions have other jobs.
    """
    if len({amount for _, amount in known}) < 2:
        raise RecordingError("a prediction needs executions over two amounts of data at least")
    shapes = {tuple(job.machines for job in recorded.jobs) for recorded, _ in known}
    if len(shapes) > 1:
        raise RecordingError("these executions have other jobs or other machines, so none says what another takes")
    columns = zip(*(recorded.jobs for recorded, _ in known), strict=True)
    amounts = [amount for _, amount in known]
    jobs = tuple(_predict_job(name, size, column, amounts) for column in columns)
    return Recorded(name, jobs, round(mean(recorded.states for recorded, _ in known)))


def _predict_job(name: str, size: float, jobs: Sequence[RecordedJob], amounts: Sequence[float]) -> RecordedJob:
    line = linear_regression(amounts, [job.seconds for job in jobs])
    # Less data than any known execution's may lead below zero; every job takes a second.
    return replace(jobs[0], name=name, seconds=max(1.0, line.intercept + line.slope * size))
