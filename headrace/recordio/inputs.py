"""Files of records to read, whose problems are reported with their name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

from headrace.errors import naming
from headrace.inputs import open_input, rereadable
from headrace.recordio.framing import RecordIOError


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """A file to read."""
    with _naming_record(path), open_input(path) as file:
        yield file


@contextmanager
def read_again(path: Path) -> Iterator[None]:
    """Let a file be opened more than once; what a pipe holds is put aside first."""
    with ExitStack() as copy:
        with naming(path, RecordIOError):
            copy.enter_context(rereadable(path))
        yield


@contextmanager
def _naming_record(path: Path) -> Iterator[None]:
    """Report what is wrong with a file, with its name; errors of records know only where in it they are."""
    with naming(path, RecordIOError):
        try:
            yield
        except RecordIOError as error:
            raise RecordIOError(f"{path}, {error}") from error
