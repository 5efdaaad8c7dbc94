"""What the job reads: photographs are taken down as they come, and its lists are found to be kept."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from containers.shared.images.decoding import DecodingError
from containers.shared.job.inputs import JobInputs, measure_file
from headrace.normalizer.limits import LEARNT
from headrace.provenance import InputFile

from . import contract
from .channels import find_list
from .sources import PhotographSource


class RecordedPhotographs:
    """Photographs of a source, each taken down as it is read: in `taken`, by its path, and among the job's inputs.

    Args:
        photographs: The source.
        inputs: Where they are taken down,
        channel: and for which channel.
    """

    def __init__(self, photographs: PhotographSource, inputs: JobInputs, channel: str) -> None:
        self.name = photographs.name
        self.threads = photographs.threads
        self.lacks = photographs.lacks
        self.measure = photographs.measure
        self.channel = channel
        self.taken: dict[str, InputFile] = {}
        self._photographs = photographs
        self._inputs = inputs

    def open(self, path: str) -> BinaryIO:
        """A photograph's content, or as much of it as shows that it is too large."""
        try:
            with self._photographs.open(path) as photograph:
                content = photograph.read(LEARNT.file_bytes + 1)
                read = measure_file(BytesIO(content), path, rest=photograph)
        except OSError as error:
            raise DecodingError(f"it cannot be read: {error.strerror or error}") from error
        self.take(read)
        return BytesIO(content)

    def take(self, read: InputFile) -> None:
        """Take down a photograph that was read."""
        self.taken[read.key] = read
        self._inputs.add(self.channel, read)


def list_lists(*folders: Path) -> Iterator[tuple[Path, Path]]:
    """The list in each channel's folder, with the folder, and the names of the classes where they lie beside it."""
    for folder in folders:
        listed = find_list(folder)
        yield folder, listed
        labels = listed.with_name(contract.LABELS_FILE)
        if labels.is_file():
            yield folder, labels
