"""Where the photographs of the lists come from: a channel for each list, or the image normalizer for both."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from containers.shared.images.decoding import DecodingError
from containers.shared.job.training_channels import find_channel
from containers.shared.job.training_failures import JobError
from containers.shared.job.training_job import Job
from headrace.cpus import count_cpus

from . import contract


class PhotographSource(Protocol):
    """Where the photographs of a list come from; threads share it."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def threads(self) -> int:
        """How many photographs to ask it for at the same time."""

    def lacks(self, path: str) -> bool:
        """Whether it is known without reading that there is no such photograph."""

    def measure(self, path: str) -> int | None:
        """How many bytes a photograph has; None where that is not known without reading it."""

    def open(self, path: str) -> BinaryIO:
        """A photograph's content.

        Raises:
            DecodingError: If there is none that could be used.
            TrainingError: If there will be none for any other path either.
        """


class ChannelPhotographs:
    """The files of a channel."""

    def __init__(self, folder: Path) -> None:
        self.name = f"channel {folder.name!r}"
        self.threads = count_cpus()
        self._folder = folder

    def lacks(self, path: str) -> bool:
        """Whether there is no such file."""
        try:
            return not (self._folder / path).is_file()
        except OSError:
            # A name may be longer than the file system allows.
            return True

    def measure(self, path: str) -> int | None:
        """The size of a file; None for one that is gone."""
        try:
            return (self._folder / path).stat().st_size
        except OSError:
            return None

    def open(self, path: str) -> BinaryIO:
        """A file of the channel."""
        try:
            return (self._folder / path).open("rb")
        except OSError as error:
            raise DecodingError(f"it cannot be opened: {error.strerror}") from error


def open_sources(root: Path, job: Job, environment: Mapping[str, str]) -> tuple[PhotographSource, PhotographSource]:
    """The sources of the training and of the validation photographs."""
    names = (contract.TRAIN_CHANNEL, contract.VALIDATION_CHANNEL)
    if not environment.get(contract.IMAGES_VARIABLE):
        train, validation = (ChannelPhotographs(find_channel(root, name, job.channels)) for name in names)
        return train, validation
    for name in names:
        if name in job.channels:
            raise JobError(
                f"the job has channel {name!r}, and the variable {contract.IMAGES_VARIABLE} says that photographs come "
                "from the normalizer; remove one of the two"
            )
    # Not above: photographs from channels do without AWS's client, which takes a while to import.
    from .normalizer import open_normalizer

    photographs = open_normalizer(environment)
    return photographs, photographs
