"""Limits of an execution's parts that its own limit would cut off before they could be reached."""

from collections.abc import Iterator

from stacks.settings.file_systems import LONGEST_MAKING_SECONDS, FileSystemSettings
from stacks.settings.workloads import ListedTrainingSettings, PreprocessedSettings, WorkloadSettings

_HOUR_SECONDS = 3600


def list_unreachable(workload: WorkloadSettings, file_systems: FileSystemSettings, timeout_hours: int) -> Iterator[str]:
    """What of a workload may take longer than an execution is left to run, each beginning with its key.

    Args:
        workload: The workload.
        file_systems: What its training may read from.
        timeout_hours: After how long an execution is ended.
    """
    making = LONGEST_MAKING_SECONDS if _makes_file_system(workload, file_systems) else 0
    for key, seconds in _list_limits(workload):
        before = making if key.startswith("training.") else 0
        if seconds + before > timeout_hours * _HOUR_SECONDS:
            also = f" and its file system may take another {before} to be made," if before else ""
            yield (
                f"{key}: found {seconds},{also} but an execution is ended after pipeline.timeout_hours, "
                f"{timeout_hours}; raise that, or lower this"
            )


def _makes_file_system(workload: WorkloadSettings, file_systems: FileSystemSettings) -> bool:
    training = workload.training
    return (
        file_systems.fsx.per_run
        and isinstance(training, ListedTrainingSettings)
        and any(channel.source == "fsx" for channel in training.channels)
    )


def _list_limits(workload: WorkloadSettings) -> Iterator[tuple[str, int]]:
    """How long each part of an execution may take, by its key."""
    if isinstance(workload, PreprocessedSettings):
        yield "preprocessing.max_runtime_seconds", workload.preprocessing.max_runtime_seconds
    training = workload.training
    yield "training.max_runtime_seconds", training.max_runtime_seconds
    if training.spot:
        yield "training.spot.max_wait_seconds", training.spot.max_wait_seconds
    if workload.is_batch:
        yield "transform.max_runtime_seconds", workload.transform.max_runtime_seconds
        return
    if workload.endpoint.golden:
        yield "endpoint.golden.max_runtime_seconds", workload.endpoint.golden.max_runtime_seconds
    # SageMaker goes on with the update of an execution that has been ended.
    yield "endpoint.update.timeout_seconds", workload.endpoint.update.timeout_seconds
