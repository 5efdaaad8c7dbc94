"""Reading the photographs of an augmented manifest and their classes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from containers.shared.images.streaming import Streamed, read_stream, refuse_label
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_job import Job

# Texts of a manifest come with their quotes.
_CLASS: Final = re.compile(rb'\s*"?\s*([0-9]{1,9})\s*"?\s*')
_LABELS: Final = "classes"


class Labelled(NamedTuple):
    """A photograph as it is stored: what messages call it, its class and its bytes."""

    name: str
    label: float
    content: bytes


def read_labelled(root: Path, job: Job, channel: str, inputs: JobInputs) -> Iterator[Labelled]:
    """The photographs of a channel in Pipe mode.

    Raises:
        TrainingDataError: If the stream is not one of records, or they are not photographs and classes by turns.
        RecordIOError: If its records are damaged.
    """
    for streamed in read_stream(root, job, channel, inputs, _LABELS):
        yield Labelled(streamed.name, _parse_class(streamed), streamed.content)


def _parse_class(streamed: Streamed) -> int:
    found = _CLASS.fullmatch(streamed.label)
    if not found:
        raise refuse_label(streamed, "its class, a whole number from 0", _LABELS)
    return int(found[1])
