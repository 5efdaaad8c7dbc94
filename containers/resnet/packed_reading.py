"""Packed sets as the channels of a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import find_channel, list_files
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.errors import HeadraceError
from headrace.packed.layout import SET_FILE, TABLE_FILE, name_shard
from headrace.packed.reading import PackedSet
from headrace.provenance import InputFile

from . import contract
from .changing import scale

_CHANNELS: Final = (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)


def reads_packed(job: Job) -> bool:
    """Whether the channels of a job bring packed sets.

    Raises:
        TrainingDataError: If only one of them does.
    """
    found = [
        channel
        for channel in _CHANNELS
        if job.content_types.get(channel, "").partition(";")[0].strip().lower() == contract.PACKED
    ]
    if found and len(found) < len(_CHANNELS):
        (other,) = (channel for channel in _CHANNELS if channel not in found)
        raise TrainingDataError(
            f"channel {found[0]!r} brings a packed set, and channel {other!r} does not; give both the content type "
            f"{contract.PACKED}"
        )
    return bool(found)


def open_packed(root: Path, job: Job, channel: str, inputs: JobInputs, classes: int) -> PackedSet:
    """The packed set of a channel, whose files are taken down as what the model is made from.

    Args:
        root: Where SageMaker's folders are.
        job: The job.
        channel: `train` or `validation`.
        inputs: Where what is read is taken down.
        classes: How many classes there are.

    Raises:
        TrainingDataError: If there is no set, or it has other classes.
    """
    folder = find_channel(root, channel, job.channels)
    found = sorted(folder.rglob(SET_FILE))
    if len(found) != 1:
        raise TrainingDataError(
            f"channel {channel!r} has {len(found)} files named {SET_FILE}, expected one; it has {list_files(folder)}"
        )
    try:
        packed = PackedSet(found[0].parent)
    except HeadraceError as error:
        raise TrainingDataError(f"channel {channel!r}: {error}") from error
    if len(packed.layout.classes) > classes:
        packed.close()
        raise TrainingDataError(
            f"channel {channel!r}: the set has {len(packed.layout.classes)} classes, and num_classes is {classes}; "
            "set it to as many, or pack another list"
        )
    _take_down(packed, channel, folder, inputs)
    return packed


def choose_labels(packed: PackedSet, classes: int) -> Sequence[str]:
    """The names of the classes in the set; their numbers where it has none."""
    named = packed.layout.labels
    return named if len(named) == classes else [str(number) for number in range(classes)]


def _take_down(packed: PackedSet, channel: str, folder: Path, inputs: JobInputs) -> None:
    """The digests of arrays are those that the set names: records are checked as they are read."""
    inputs.add_files(channel, folder, packed.folder / SET_FILE)
    files = {
        TABLE_FILE: packed.layout.table,
        **{name_shard(number): shard for number, shard in enumerate(packed.layout.shards)},
    }
    for name, file in files.items():
        inputs.add(channel, InputFile((packed.folder / name).relative_to(folder).as_posix(), file.sha256, file.bytes))


@dataclass(frozen=True)
class PackedExamples:
    """The records of a set to judge a network by, scaled to its side as they are asked for.

    Args:
        packed: The set.
        side: Rows and columns that they are scaled to.
    """

    packed: PackedSet
    side: int

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The class of each."""
        return self.packed.classes

    @property
    def photographs(self) -> "PackedExamples":
        """What can be asked for a slice."""
        return self

    def __getitem__(self, wanted: slice) -> NDArray[np.uint8]:
        places = np.arange(len(self))[wanted]
        pixels = torch.from_numpy(self.packed.read(places))
        height, width, _ = self.packed.layout.shape
        whole = torch.tensor([[0, 0, height, width]], dtype=torch.float32).expand(len(places), 4)
        scaled = scale(pixels, whole, self.side, torch.float32).round().clamp(0, 255)
        return np.ascontiguousarray(scaled.to(torch.uint8).permute(0, 2, 3, 1).numpy())
