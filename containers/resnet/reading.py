"""Reading the photographs of a channel and the class of each: files and their list, MXNet's RecordIO, or a stream."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.shared import sagemaker
from containers.shared.images.decoding import DecodingError, decode_photograph
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import find_channel, find_one
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.errors import HeadraceError
from headrace.lst.paths import find_stray, leaves_folder
from headrace.lst.rows import read_lst
from headrace.recordio.images import ImageFile

from . import contract
from .streaming import Labelled, read_labelled

_Reader = Callable[[Path, Job, str, JobInputs], Iterator[Labelled]]
_IMAGE_TYPES: Final = (contract.IMAGE, contract.JPEG, contract.PNG)


@dataclass(frozen=True)
class Examples:
    """Photographs, by photograph, row, column and colour, and the class of each."""

    photographs: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)


def read_examples(root: Path, job: Job, channel: str, inputs: JobInputs, *, side: int, classes: int) -> Examples:
    """The photographs of a channel, decoded and scaled.

    Args:
        root: Where SageMaker's folders are.
        job: The job.
        channel: `train` or `validation`.
        inputs: Where what is read is taken down.
        side: Rows and columns that every photograph is scaled to.
        classes: How many classes there are.

    Raises:
        TrainingDataError: Naming the photograph or the row that cannot be used.
    """
    read = _choose_reader(job, channel)
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    try:
        for found in read(root, job, channel, inputs):
            labels.append(_check_class(found, classes))
            pixels.append(decode_photograph(io.BytesIO(found.content), side))
    except DecodingError as error:
        raise TrainingDataError(f"{found.name}: {error}; replace it, or remove it from the list") from error
    except HeadraceError as error:
        raise TrainingDataError(f"channel {channel!r}: {error}") from error
    if not pixels:
        raise TrainingDataError(f"channel {channel!r} has no photographs; check the step that wrote it")
    return Examples(np.stack(pixels), np.array(labels, np.int64))


def list_lists(root: Path, job: Job) -> Iterator[tuple[Path, Path]]:
    """The lists that the job reads, and the names of the classes, each with its channel's folder."""
    for channel in (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL):
        if _choose_reader(job, channel) is _read_files:
            yield _find_list(root, job, channel)
    if labels := _find_labels(root, job):
        yield labels.parent, labels


def read_labels(root: Path, job: Job, classes: int) -> list[str]:
    """The names of the classes beside the training list; their numbers where there are none."""
    path = _find_labels(root, job)
    if path is None:
        return [str(number) for number in range(classes)]
    labels = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if len(labels) != classes or len(set(labels)) != classes:
        raise TrainingDataError(
            f"channel {path.parent.name!r}, {path.name}: {len(set(labels))} different names for {classes} classes; "
            "write one a line, class 0 first"
        )
    return labels


def _find_labels(root: Path, job: Job) -> Path | None:
    path = root / sagemaker.DATA_FOLDER / contract.TRAIN_LIST_CHANNEL / contract.LABELS_FILE
    return path if contract.TRAIN_LIST_CHANNEL in job.channels and path.is_file() else None


def _find_list(root: Path, job: Job, channel: str) -> tuple[Path, Path]:
    """The folder of the list of a channel's photographs, and the list."""
    folder = find_channel(root, f"{channel}_lst", job.channels)
    return folder, find_one(folder, contract.LIST_SUFFIX)


def _check_class(found: Labelled, classes: int) -> int:
    if not 0 <= found.label < classes or found.label != round(found.label):
        raise TrainingDataError(
            f"{found.name}: class {found.label:g} is not one of 0 to {classes - 1}, which num_classes announces"
        )
    return int(found.label)


def _read_files(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Labelled]:
    """The files that the channel's list names."""
    folder = find_channel(root, channel, job.channels)
    lists, listed = _find_list(root, job, channel)
    for row in read_lst(listed):
        name = f"channel {lists.name!r}, {listed.name}: {row.path}"
        path = folder / row.path
        if reason := find_stray(row.path) or ("leads out of the channel" if leaves_folder(path, folder) else None):
            raise TrainingDataError(f"{name}: {reason}")
        if not path.is_file():
            raise TrainingDataError(
                f"{name}: channel {channel!r} has no such photograph; check the path, and the channel's prefix"
            )
        inputs.add_files(channel, folder, path)
        yield Labelled(name, row.label, path.read_bytes())


def _read_records(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Labelled]:
    """The records of the channel's one file."""
    folder = find_channel(root, channel, job.channels)
    path = find_one(folder, contract.RECORDS_SUFFIX)
    inputs.add_files(channel, folder, path)
    with ImageFile(path) as images:
        for record in images:
            name = f"channel {channel!r}, {path.name}: photograph {record.image_index}"
            if len(record.labels) != 1:
                raise TrainingDataError(f"{name} has {len(record.labels)} labels; classes are one")
            yield Labelled(name, record.labels[0], record.image)


def _choose_reader(job: Job, channel: str) -> _Reader:
    media_type = job.content_types.get(channel, contract.IMAGE).partition(";")[0].strip().lower()
    if media_type not in _READERS:
        raise TrainingDataError(
            f"channel {channel!r} has the content type {media_type!r}; this program reads {', '.join(_READERS)}"
        )
    return read_labelled if channel in job.wrappers else _READERS[media_type]


_READERS: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(_IMAGE_TYPES, _read_files),
    contract.RECORDS: _read_records,
}
