"""The lists that a job reads, which are kept as they were: what stands at their place may change any time."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from containers.shared.job.events import warn_event
from containers.shared.job.inputs import JobInputs, measure_file
from containers.shared.job.training_failures import TrainingDataError
from headrace.provenance import LISTS_FOLDER, MOST_LIST_BYTES, InputFile


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
    def keeping(self, *files: tuple[Path, Path]) -> Iterator[None]:
        """Take down and keep some files, each with its channel's folder; one that changes while it is read is refused.

        Raises:
            TrainingDataError: Naming the file that has changed.
        """
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
