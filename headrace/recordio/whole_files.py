"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from headrace.recordio.framing import RecordIOError


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its name when the block ends well, and else is gone."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file, discard_unless_moved(partial):
            yield file
            file.close()
            partial.replace(path)
    except OSError as error:
        raise RecordIOError(f"{path}: {error.strerror}") from error


@contextmanager
def discard_unless_moved(partial: Path) -> Iterator[None]:
    """Leave no file behind under its temporary name."""
    try:
        yield
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """A file to read, whose problems are told with its name."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise RecordIOError(f"{path}: {error.strerror}") from error
    except RecordIOError as error:
        raise RecordIOError(f"{path}, {error}") from error
