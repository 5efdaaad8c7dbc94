"""Which command uses a folder's local cloud: one at a time deploys to it, runs on it or stops it.

The lock on the file ends with the process that holds it, however that ends; what the file says is for people only.
"""

import fcntl
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from headrace.errors import HeadraceError

_FILE: Final = "in-use"


class OccupiedError(HeadraceError):
    """Another command uses the folder."""


@contextmanager
def occupy(folder: Path) -> Iterator[None]:
    """Keep every other command that would occupy the folder out of it.

    Raises:
        OccupiedError: If one is there already; with its command line and process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OccupiedError(f"{_describe(file)} uses {folder}") from None
        file.truncate(0)
        file.write(f"'{_name_command()}', process {os.getpid()},")
        file.flush()
        yield


def _name_command() -> str:
    return shlex.join([Path(sys.argv[0]).name.replace("__main__.py", "headrace"), *sys.argv[1:]])


def _describe(file: IO[str]) -> str:
    file.seek(0)
    return file.read() or "another command"
