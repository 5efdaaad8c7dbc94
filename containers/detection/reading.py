"""Reading the photographs of a channel and their boxes: the stream of an augmented manifest, or MXNet's RecordIO."""

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from containers.shared.images.decoding import DecodingError, decode_photograph, measure_photograph
from containers.shared.images.streaming import Streamed, read_stream, refuse_label
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import find_channel, find_one
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.errors import HeadraceError
from headrace.lst.layouts import SHORTEST_BOX, SIZED_HEADER, find_box_problems, measure_boxes
from headrace.manifest.box_turns import is_counted_in_stored_pixels, turn_upright
from headrace.manifest.labels import Task, find_label_problems, read_image_size
from headrace.manifest.records import ManifestError
from headrace.recordio.images import ImageFile

from . import contract

_IMAGE_TYPES: Final = (contract.IMAGE, contract.JPEG, contract.PNG)
_LABELS: Final = "boxes"


class Boxed(NamedTuple):
    """A photograph as it is stored: what messages call it, its bytes, its boxes, and the size these are counted in.

    A box is its class, then left, top, right and bottom as parts of the photograph. Where there is no size, they are
    parts of the photograph upright.
    """

    name: str
    content: bytes
    boxes: list[tuple[float, ...]]
    size: tuple[float, float] | None


@dataclass(frozen=True)
class Scenes:
    """Photographs, by photograph, row, column and colour, and the classes and the boxes of what is in each."""

    photographs: NDArray[np.uint8]
    labels: tuple[NDArray[np.int64], ...]
    boxes: tuple[NDArray[np.float32], ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """All of it."""
        counts = np.array([len(labels) for labels in self.labels])
        return [self.photographs, counts, np.concatenate(self.labels), np.concatenate(self.boxes)]


def read_scenes(root: Path, job: Job, channel: str, inputs: JobInputs, *, side: int, classes: int) -> Scenes:
    """The photographs of a channel, decoded and scaled.

    Args:
        root: Where SageMaker's folders are.
        job: The job.
        channel: `train` or `validation`.
        inputs: Where what is read is taken down.
        side: Rows and columns that every photograph is scaled to.
        classes: How many classes there are.

    Raises:
        TrainingDataError: Naming the photograph or the line that cannot be used.
    """
    read = _choose_reader(job, channel)
    pixels: list[NDArray[np.uint8]] = []
    boxes: list[NDArray[np.float32]] = []
    try:
        for found in read(root, job, channel, inputs):
            boxes.append(_turn_upright(found, _check_classes(found, classes)))
            pixels.append(decode_photograph(io.BytesIO(found.content), side))
    except DecodingError as error:
        raise TrainingDataError(f"{found.name}: {error}; replace it, or remove its line") from error
    except HeadraceError as error:
        raise TrainingDataError(f"channel {channel!r}: {error}") from error
    if not pixels:
        raise TrainingDataError(f"channel {channel!r} has no photographs; check the step that wrote it")
    if not any(map(len, boxes)):
        raise TrainingDataError(f"channel {channel!r} has no boxes in any photograph; check the attribute's name")
    labels = tuple(each[:, 0].astype(np.int64) for each in boxes)
    return Scenes(np.stack(pixels), labels, tuple(np.ascontiguousarray(each[:, 1:]) for each in boxes))


def _choose_reader(job: Job, channel: str) -> Callable[[Path, Job, str, JobInputs], Iterator[Boxed]]:
    media_type = job.content_types.get(channel, contract.IMAGE).partition(";")[0].strip().lower()
    if media_type not in (*_IMAGE_TYPES, contract.RECORDS):
        raise TrainingDataError(
            f"channel {channel!r} has the content type {media_type!r}; this program reads "
            f"{', '.join((*_IMAGE_TYPES, contract.RECORDS))}"
        )
    if channel in job.wrappers:
        return _read_streamed
    if media_type == contract.RECORDS or channel not in job.channels:
        return _read_records
    raise TrainingDataError(
        f"channel {channel!r} brings files of photographs, which say nothing of boxes: stream an augmented manifest "
        f"in Pipe mode, or set its content type to {contract.RECORDS} and bring a file of records"
    )


def _check_classes(found: Boxed, classes: int) -> NDArray[np.float32]:
    for place, box in enumerate(found.boxes, start=1):
        if box[0] >= classes:
            raise TrainingDataError(
                f"{found.name}, box {place}: class {box[0]:g} is not one of 0 to {classes - 1}, which num_classes "
                "announces"
            )
    return np.array(found.boxes, np.float32).reshape(-1, SHORTEST_BOX)


def _turn_upright(found: Boxed, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes in the photograph upright, as it is decoded."""
    stored, orientation = measure_photograph(found.content)
    try:
        if not found.size or not is_counted_in_stored_pixels(found.size, stored, orientation):
            return boxes
    except ManifestError as error:
        raise TrainingDataError(f"{found.name}: {error}") from error
    turned = [(label, *turn_upright(sides, orientation)) for label, *sides in boxes.tolist()]
    return np.array(turned, np.float32).reshape(boxes.shape)


def _read_streamed(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Boxed]:
    for streamed in read_stream(root, job, channel, inputs, _LABELS):
        yield _parse_boxes(streamed)


def _parse_boxes(streamed: Streamed) -> Boxed:
    """What Ground Truth says of boxes, as parts of the photograph."""
    try:
        value = json.loads(streamed.label)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refuse_label(streamed, 'its boxes, such as {"image_size": [...], "annotations": [...]}', _LABELS)
    for problem in find_label_problems(Task.OBJECT_DETECTION, {_LABELS: value}, _LABELS):
        raise TrainingDataError(f"{streamed.name}: {problem}; check the manifest with 'headrace manifest check'")
    size = read_image_size(value) or (1, 1)
    return Boxed(streamed.name, streamed.content, [_describe(box, *size) for box in value["annotations"]], size)


def _describe(box: Mapping[str, float], width: float, height: float) -> tuple[float, ...]:
    right, bottom = box["left"] + box["width"], box["top"] + box["height"]
    return (box["class_id"], box["left"] / width, box["top"] / height, right / width, bottom / height)


def _read_records(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Boxed]:
    """The records of the channel's one file, as im2rec packs them with `--pack-label`."""
    folder = find_channel(root, channel, job.channels)
    path = find_one(folder, contract.RECORDS_SUFFIX)
    inputs.add_files(channel, folder, path)
    with ImageFile(path) as images:
        for record in images:
            name = f"channel {channel!r}, {path.name}: photograph {record.image_index}"
            labels = [f"{label:.9g}" for label in record.labels]
            for problem in find_box_problems(labels):
                raise TrainingDataError(f"{name} {problem}")
            header, size = measure_boxes(labels) or (len(labels), SHORTEST_BOX)
            starts = range(header, len(labels), size)
            boxes = [record.labels[start : start + SHORTEST_BOX] for start in starts]
            yield Boxed(name, record.image, boxes, _read_size(record.labels[:header]))


def _read_size(header: Sequence[float]) -> tuple[float, float] | None:
    """Width and height that the boxes of a record were counted in, where its header has them."""
    if len(header) < SIZED_HEADER or not all(0 < side < math.inf for side in header[2:SIZED_HEADER]):
        return None
    return header[2], header[3]
