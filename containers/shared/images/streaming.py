"""Reading the photographs of an augmented manifest, which come as a stream: each a record, and its label the next.

SageMaker sends the attributes of each line in the order of the channel's `AttributeNames`, and does not say their names
to the program: so the photographs' attribute must be the first, and that of the labels the second. A program that
keeps its photographs reads one epoch and leaves the others.
https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest-stream.html
"""

import io
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
_SHOWN: Final = 40


class Streamed(NamedTuple):
    """A photograph as it is stored: what messages call it, its bytes and those of its label."""

    name: str
    content: bytes
    label: bytes


def read_stream(root: Path, job: Job, channel: str, inputs: JobInputs, labels: str) -> Iterator[Streamed]:
    """The photographs of a channel in Pipe mode.

    Args:
        root: Where SageMaker's folders are.
        job: The job.
        channel: The channel.
        inputs: Where what is read is taken down.
        labels: What messages call the labels of photographs, such as `classes`.

    Raises:
        TrainingDataError: If the stream is not one of records, or they do not begin with a photograph.
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
                    f"attribute first in AttributeNames, such as source-ref, then that of their {labels}, and no others"
                )
            inputs.add(channel, measure_file(io.BytesIO(photograph), f"{place + 1:09}"))
            yield Streamed(name, photograph, next(records, b""))


def refuse_label(streamed: Streamed, expected: str, labels: str) -> TrainingDataError:
    """The error for a label that is another than what the program learns from.

    Args:
        streamed: What has it.
        expected: What it should be.
        labels: What messages call the labels of photographs.
    """
    return TrainingDataError(
        f"{streamed.name}: found {streamed.label[:_SHOWN]!r} behind the photograph, expected {expected}; name the "
        f"attribute of the {labels} second in AttributeNames, and no others"
    )
