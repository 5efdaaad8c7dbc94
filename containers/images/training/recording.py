"""What the job reads: photographs are taken down as they come, and its lists are kept as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from containers.shared.images.decoding import LIMITS, DecodingError
from containers.shared.job.events import warn_event
from containers.shared.job.inputs import JobInputs, measure_file
from containers.shared.job.training_failures import TrainingDataError
from headrace.provenance import LISTS_FOLDER, MOST_LIST_BYTES, InputFile

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
                content = photograph.read(LIMITS.file_bytes + 1)
                read = measure_file(BytesIO(content), path, rest=photograph)
        except OSError as error:
            raise DecodingError(f"it cannot be read: {error.strerror or error}") from error
        self.take(read)
        return BytesIO(content)

    def take(self, read: InputFile) -> None:
        """Take down a photograph that was read."""
        self.taken[read.key] = read
        self._inputs.add(self.channel, read)


class ListRecord:
    """The lists that a job reads, and the names of the classes beside them.

    Args:
        inputs: Where they are taken down.
    """

    def __init__(self, inputs: JobInputs) -> None:
        self.contents: dict[str, bytes] = {}
        self._inputs = inputs
        self._room = MOST_LIST_BYTES

    @contextmanager
    def keeping(self, *folders: Path) -> Iterator[None]:
        """Take down and keep the lists in these channels' folders, and refuse those that change while they are read."""
        files = [(folder, path) for folder in folders for path in _list_files(folder)]
        before = [self._keep(folder, path) for folder, path in files]
        yield
        for (folder, path), was in zip(files, before, strict=True):
            with path.open("rb") as content:
                if measure_file(content, was.key) != was:
                    raise TrainingDataError(
                        f"channel {folder.name!r}, {path.name}: it was changed while it was read; run the job again"
                    )

    def _keep(self, folder: Path, path: Path) -> InputFile:
        with path.open("rb") as file:
            content = file.read(self._room + 1)
            read = measure_file(BytesIO(content), path.relative_to(folder).as_posix(), rest=file)
        self._inputs.add(folder.name, read)
        if read.size <= self._room:
            self.contents[f"{LISTS_FOLDER}/{folder.name}/{read.key}"] = content
            self._room -= read.size
        else:
            warn_event("list_not_kept", list=path.name, bytes=read.size, room=self._room)
        return read


def _list_files(folder: Path) -> Iterator[Path]:
    listed = find_list(folder)
    yield listed
    labels = listed.with_name(contract.LABELS_FILE)
    if labels.is_file():
        yield labels
