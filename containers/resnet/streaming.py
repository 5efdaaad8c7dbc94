"""Reading the photographs of an augmented manifest, which come as a stream: each a record, and its class the next.

SageMaker sends the attributes of each line in the order of the channel's `AttributeNames`, and does not say their names
to the program: so the photographs' attribute must be the first, and that of the classes the second. A program that
keeps its photographs reads one epoch and leaves the others.
https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest-stream.html
"""

import io
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from containers.shared import sagemaker
from containers.shared.job.inputs import JobInputs, measure_file
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import Job
from headrace.normalizer.formats import JPEG_SIGNATURE, PNG_SIGNATURE
from headrace.recordio.pipes import read_objects

_WRAPPER: Final = "RecordIO"
# Texts of a manifest come with their quotes.
_CLASS: Final = re.compile(rb'\s*"?\s*([0-9]{1,9})\s*"?\s*')
_SHOWN: Final = 40


class Labelled(NamedTuple):
    """A photograph as it is stored: what messages call it, its class and its bytes."""

    name: str
    label: float
    content: bytes


def read_stream(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Labelled]:
    """The photographs of a channel in Pipe mode.

    Raises:
        TrainingDataError: If the stream is not one of records, or they are not photographs and classes by turns.
        RecordIOError: If its records are damaged.
    """
    if job.wrappers[channel] != _WRAPPER:
        raise TrainingDataError(
            f"channel {channel!r} is a stream without records: set its RecordWrapperType to RecordIO, and its "
            "S3DataType to AugmentedManifestFile, or use File mode"
        )
    with closing(read_objects(channel, 0, root / sagemaker.DATA_FOLDER)) as records:
        for place, photograph in enumerate(records):
            name = f"channel {channel!r}, line {place + 1} of the manifest"
            if not photograph.startswith((JPEG_SIGNATURE, PNG_SIGNATURE)):
                raise TrainingDataError(
                    f"{name}: found {photograph[:_SHOWN]!r}, expected a JPEG or PNG photograph; name the photographs' "
                    "attribute first in AttributeNames, such as source-ref, then that of their classes, and no others"
                )
            inputs.add(channel, measure_file(io.BytesIO(photograph), f"{place + 1:09}"))
            yield Labelled(name, _parse_class(name, next(records, b"")), photograph)


def _parse_class(name: str, label: bytes) -> int:
    found = _CLASS.fullmatch(label)
    if not found:
        shown = label[:_SHOWN]
        raise TrainingDataError(
            f"{name}: found {shown!r} behind the photograph, expected its class, a whole number from 0; name the "
            "attribute of the classes second in AttributeNames, and no others"
        )
    return int(found[1])
