"""Reading the files of a model archive."""

import stat
from pathlib import Path


class ModelError(Exception):
    """A model that cannot be served; its message says which file and why."""


def read_file(path: Path, most_bytes: int) -> bytes:
    """The file's bytes; an archive may hold links, devices and files without end, which are not read."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path}: not a regular file; the model archive must hold plain files")
        if status.st_size > most_bytes:
            raise ModelError(f"{path}: {status.st_size} bytes, more than the {most_bytes} such a file can have")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; the model archive needs it at its top level") from error
