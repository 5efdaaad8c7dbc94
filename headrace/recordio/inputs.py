"""Files of records to read, whose problems are reported with their name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

from headrace.errors import explain_os_error
from headrace.inputs import open_input, rereadable
from headrace.recordio.framing import RecordIOError


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """A file to read."""
    with naming(path), open_input(path) as file:
        yield file


@contextmanager
def read_again(path: Path) -> Iterator[None]:
    """Let a file be opened more than once; what a pipe holds is put aside first."""
    with ExitStack() as copy:
        with naming(path):
            copy.enter_context(rereadable(path))
        yield


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Report what is wrong with a file, with its name."""
    try:
        yield
    except OSError as error:
        raise RecordIOError(explain_os_error(error, path)) from error
    except RecordIOError as error:
        raise RecordIOError(f"{path}, {error}") from error
