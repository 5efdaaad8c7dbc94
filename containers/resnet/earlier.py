"""What an earlier network knew, kept in its model archive and taken up by a job that goes on from it.

`network.npz` beside the model that is served holds the weights as they were learnt, batch normalization apart, as data
only: those of the layers, and how many layers, classes and rows of a photograph the network has.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.array_files import ArrayLayout, Arrays, read_arrays, write_arrays
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import find_channel, list_files
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.archives import ArchiveError, open_archive, refuse_unsafe_member

from . import contract
from .hyperparameters import Hyperparameters

ARCHIVE: Final = "model.tar.gz"
_WHOLE: Final = np.dtype("int64")
_MOST_WEIGHTS: Final = 2**28
_LAYOUTS: Final[Mapping[str, ArrayLayout]] = {
    "num_layers": ArrayLayout(_WHOLE),
    "num_classes": ArrayLayout(_WHOLE),
    "side": ArrayLayout(_WHOLE),
    "weights": ArrayLayout(np.dtype("float32"), (range(1, _MOST_WEIGHTS),)),
}
# The file's other arrays and names take less than that.
_MOST_BYTES: Final = 4 * _MOST_WEIGHTS + 2**20


def keep_weights(path: Path, weights: NDArray[np.float32], hyperparameters: Hyperparameters) -> None:
    """Write what a network has learnt, for a job that goes on from it."""
    numbers = {name: np.array(value, _WHOLE) for name, value in _describe(hyperparameters).items()}
    write_arrays(path, {**numbers, "weights": weights})


def read_earlier(
    root: Path, job: Job, hyperparameters: Hyperparameters, inputs: JobInputs
) -> NDArray[np.float32] | None:
    """The weights that a job goes on from; None where it has no channel of an earlier model.

    Raises:
        TrainingDataError: If the channel has no archive of ours, or its network is another than the job's.
    """
    if contract.MODEL_CHANNEL not in job.channels:
        return None
    folder = find_channel(root, contract.MODEL_CHANNEL, job.channels)
    path = folder / ARCHIVE
    if not path.is_file():
        raise TrainingDataError(f"channel {folder.name!r} has no {ARCHIVE}, only {list_files(folder)}")
    inputs.add_files(folder.name, folder, path)
    arrays = _read(path)
    for name, wanted in _describe(hyperparameters).items():
        if (found := int(arrays[name])) != wanted:
            raise TrainingDataError(
                f"channel {folder.name!r}: the earlier network has {name} {found}, and the job {wanted}; give the job "
                "the same, or leave continue_from out and begin anew"
            )
    weights = arrays["weights"]
    if not np.isfinite(weights).all():
        raise TrainingDataError(f"channel {folder.name!r}: a weight of the earlier network is not a finite number")
    return weights


def _describe(hyperparameters: Hyperparameters) -> dict[str, int]:
    return {
        "num_layers": hyperparameters.num_layers,
        "num_classes": hyperparameters.num_classes,
        "side": hyperparameters.side,
    }


def _read(path: Path) -> Arrays:
    name = f"channel {contract.MODEL_CHANNEL!r}, {path.name}"
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, contract.WEIGHTS_FILE)
        try:
            _unpack(path, file)
        except (ArchiveError, OSError) as error:
            raise TrainingDataError(f"{name}: {error}") from error
        if not file.exists():
            raise TrainingDataError(
                f"{name} has no {contract.WEIGHTS_FILE}: it is not a model of this program, or one of a release before "
                "it kept what a job can go on from"
            )
        try:
            return read_arrays(file, _LAYOUTS)
        # What a crafted file makes zipfile and NumPy raise is of many kinds.
        except Exception as error:
            raise TrainingDataError(f"{name}, {contract.WEIGHTS_FILE}: {error}") from error


def _unpack(path: Path, target: Path) -> None:
    """Write the one member that is wanted of an archive."""
    with path.open("rb") as content, open_archive(content) as archive:
        for member in archive:
            refuse_unsafe_member(member)
            if Path(member.name).name != contract.WEIGHTS_FILE or not member.isfile():
                continue
            if member.size > _MOST_BYTES:
                raise ArchiveError(f"{member.name} is larger than any network")
            taken: Any = archive.extractfile(member)
            with target.open("wb") as file:
                while piece := taken.read(2**20):
                    file.write(piece)
            return
