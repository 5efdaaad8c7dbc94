"""What an execution has cost: the seconds that its jobs were billed for, and the states that it went through."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from headrace.cost.lines import Line, list_job_lines, make_line
from headrace.cost.machines import Machines
from headrace.errors import HeadraceError
from headrace.inventory import Charge, PriceList
from headrace.inventory.jobs import JOB_KINDS, JobKind
from headrace.pipeline.history import History
from headrace.pipeline.recorded import read_printed

# Step Functions writes times as milliseconds since 1970.
_MILLISECONDS: Final = 1000


class RecordingError(HeadraceError):
    """A file or an execution does not say what it has cost."""


@dataclass(frozen=True)
class RecordedJob:
    """A job that has ended.

    Args:
        name: Its name.
        machines: Its machines.
        seconds: For how many seconds each of them is billed.
        began: When it has begun,
        ended: and when it has ended, as far as that is known.
    """

    name: str
    machines: Machines
    seconds: float
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class Recorded:
    """What an execution has used.

    Args:
        name: What it is called.
        jobs: Its jobs that have ended.
        states: How many states it has gone through, retries included, as they are billed.
    """

    name: str
    jobs: tuple[RecordedJob, ...]
    states: int

    def list_lines(self, prices: PriceList) -> list[Line]:
        """Its bill."""
        lines = [line for job in self.jobs for line in list_job_lines(job.name, job.machines, job.seconds, prices)]
        return [*lines, make_line(self.name, "states", Charge("transition", self.states), prices)]


def read_recorded(path: Path) -> Recorded:
    """What an execution or a job has used, as the AWS command line prints it.

    Args:
        path: What `aws stepfunctions get-execution-history` or `aws sagemaker describe-training-job` (`processing`,
            `transform`) has printed, or a list of such descriptions.

    Raises:
        RecordingError: If it is something else, or no job has ended.
    """
    text = path.read_bytes()
    try:
        content = json.loads(text)
        is_history = isinstance(content, dict) and "events" in content
        if is_history:
            descriptions = [_find_description(event) for event in content["events"]]
        else:
            descriptions = content if isinstance(content, list) else [content]
        jobs = tuple(job for job in map(read_job, descriptions) if job)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"{path}: is neither a history nor the description of a job: {error!r}") from error
    if not jobs:
        raise RecordingError(
            f"{path}: describes no job that has ended; a history must have been asked for with --include-execution-data"
        )
    return Recorded(path.stem, jobs, count_states(read_printed(text, path)[1]) if is_history else 0)


def count_states(history: History) -> int:
    """How many transitions a history is billed for: every visit to a state, and every retry."""
    return sum(max(1, visit.tries) for visit in history.visits)


def read_job(described: Mapping[str, Any]) -> RecordedJob | None:
    """A job as SageMaker describes it; none where that describes none, or one that has not ended.

    Raises:
        RecordingError: If it does not have machines of one type.
    """
    kind = next((kind for kind in JOB_KINDS if kind.name in described), None)
    seconds = _find_seconds(kind, described) if kind else None
    if kind is None or seconds is None:
        return None
    resources = kind.find_machines(described)
    if "InstanceType" not in resources:
        raise RecordingError(f"{described[kind.name]}: a job with groups of instances cannot be priced")
    count, volume = resources.get("InstanceCount", 1), resources.get("VolumeSizeInGB", 0)
    machines = Machines(kind, str(resources["InstanceType"]), float(count), float(volume))
    return RecordedJob(str(described[kind.name]), machines, seconds, *_find_times(kind, described))


def _find_seconds(kind: JobKind, described: Mapping[str, Any]) -> float | None:
    """The seconds that are billed; spot training has fewer of them than it took."""
    for key in ("BillableTimeInSeconds", "TrainingTimeInSeconds"):
        if key in described:
            return float(described[key])
    start, end = _find_times(kind, described)
    return None if start is None or end is None else (end - start).total_seconds()


def _find_times(kind: JobKind, described: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """When a job has begun and ended, as far as its description says it."""
    word = kind.name.removesuffix("JobName")
    start, end = (described.get(f"{word}{moment}Time") for moment in ("Start", "End"))
    return _read_time(start), _read_time(end)


def _read_time(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / _MILLISECONDS if value > 1e11 else value, UTC)
    return datetime.fromisoformat(str(value))


def _find_description(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a task that waited for a job says of it, also where the job has failed."""
    details = event.get("taskSucceededEventDetails") or event.get("taskFailedEventDetails") or {}
    text = details.get("output") or details.get("cause") or ""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}
