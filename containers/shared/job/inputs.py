"""What a job reads, taken down while it is read, so that its model can say what it was made from."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from headrace.provenance import InputFile, dump_inputs

CHUNK_BYTES = 2**20


class JobInputs:
    """The files that a job has read, by channel; threads share it."""

    def __init__(self) -> None:
        self._channels: defaultdict[str, list[InputFile]] = defaultdict(list)

    def add(self, channel: str, file: InputFile) -> None:
        """Take down a file that was read."""
        # One operation of the interpreter, so that threads need no lock.
        self._channels[channel].append(file)

    def add_files(self, channel: str, folder: Path, *paths: Path) -> None:
        """Take down files of a channel's folder that are read, or were."""
        for path in paths:
            with path.open("rb") as content:
                self.add(channel, measure_file(content, path.relative_to(folder).as_posix()))

    def list_files(self) -> Iterator[tuple[str, InputFile]]:
        """Every file that was read, with its channel."""
        return ((channel, file) for channel, files in self._channels.items() for file in files)

    def dump(self) -> bytes:
        """The content of `inputs.json`."""
        return dump_inputs(self._channels)


def list_csv_files(folder: Path) -> list[Path]:
    """The CSV files below a folder, sorted by path; there may be none."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".csv" and path.is_file())


def find_csv_files(folder: Path, mistake: type[Exception]) -> list[Path]:
    """The CSV files of a channel's folder, sorted by path.

    Args:
        folder: The folder.
        mistake: What to raise if it has none.
    """
    paths = list_csv_files(folder)
    if not paths:
        raise mistake(
            f"no CSV file in {folder}; check that the job's input names a prefix with at least one .csv object"
        )
    return paths


def measure_file(content: BinaryIO, key: str, *, rest: BinaryIO | None = None) -> InputFile:
    """The size and the digest of a content, and of the rest of it, if it goes on."""
    digest = hashlib.sha256()
    size = 0
    for part in filter(None, (content, rest)):
        while piece := part.read(CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
    return InputFile(key, digest.hexdigest(), size)
