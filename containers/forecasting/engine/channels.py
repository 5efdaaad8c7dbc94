"""Reading the job's channels: series as JSON Lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import list_files
from containers.shared.job.training_failures import TrainingDataError

from . import contract
from .features import LEAST_LEVEL_DAYS, History
from .instances import Instance, InstanceError, load_instance


@dataclass(frozen=True)
class Span:
    """Series on one calendar.

    Args:
        histories: The series.
        starts: The number of each one's first day.
        end: How many days there are from the first day of all to the last one.
        first: The first day of all.
    """

    histories: tuple[History, ...]
    starts: tuple[int, ...]
    end: int
    first: date


def read_channel(folder: Path) -> list[Instance]:
    """The series of a channel, in the order of files and lines."""
    paths = sorted(folder.rglob(f"*{contract.SUFFIX}"))
    if not paths:
        raise TrainingDataError(
            f"channel {folder.name!r} has no file named *{contract.SUFFIX}; it has {list_files(folder)}; "
            "point it at an output of the preprocessing job, or at JSON Lines as DeepAR reads them"
        )
    instances = [instance for path in paths for instance in _read_file(folder, path)]
    if not instances:
        raise TrainingDataError(f"channel {folder.name!r} has no series, only empty lines; check the job that wrote it")
    return instances


def _read_file(folder: Path, path: Path) -> Iterator[Instance]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield load_instance(line)
                except InstanceError as error:
                    raise TrainingDataError(f"channel {folder.name!r}, {path.name}, line {number}: {error}") from error


def align(instances: Sequence[Instance]) -> Span:
    """Series on the calendar of all of them."""
    first = min(instance.start for instance in instances)
    starts = [(instance.start - first).days for instance in instances]
    end = max(start + len(instance.demand) for start, instance in zip(starts, instances, strict=True))
    histories = tuple(
        History(first, np.concatenate([np.full(start, np.nan), instance.demand]))
        for start, instance in zip(starts, instances, strict=True)
    )
    return Span(histories, tuple(starts), end, first)


def check_held_out(train: Sequence[Instance], test: Sequence[Instance], horizon: int) -> None:
    """Refuse days to train on that the test asks about, and series that are too short to be forecast."""
    last = max(instance.start + timedelta(days=len(instance.demand) - 1) for instance in train)
    for place, instance in enumerate(test, start=1):
        asked = instance.start + timedelta(days=len(instance.demand) - horizon)
        if asked <= last:
            raise TrainingDataError(
                f"channel {contract.TEST_CHANNEL!r}, series {place}: its last {horizon} days begin on {asked}, but "
                f"channel {contract.TRAIN_CHANNEL!r} goes on to {last}; hold the last {horizon} days out of it"
            )
    least = 2 * horizon + LEAST_LEVEL_DAYS
    longest = max(len(instance.demand) for instance in train)
    if longest < least:
        raise TrainingDataError(
            f"the longest series of channel {contract.TRAIN_CHANNEL!r} has {longest} days, but forecasts of {horizon} "
            f"days need {least}; give more history, or lower {contract.PREDICTION_LENGTH}"
        )


def record_inputs(folders: Sequence[Path]) -> bytes:
    """What the model is made from, as `inputs.json`: the files of the channels."""
    inputs = JobInputs()
    for folder in folders:
        inputs.add_files(folder.name, folder, *sorted(folder.rglob(f"*{contract.SUFFIX}")))
    return inputs.dump()
