"""The folder tree that stands for a container's /opt/ml."""

import contextlib
import logging
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.left_files import LeftFolder, open_left_file

CONTAINER_ROOT = PurePosixPath("/opt/ml")
ROOT_VARIABLE = "HEADRACE_ML_ROOT"
# Beside /opt/ml: the addresses of a job's instances, to be shown where each system looks names up.
HOSTS_FILE = "hosts"
SYSTEM_HOSTS = Path("/etc/hosts")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ContainerTree:
    """One container's files, from its start to its end."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "ContainerTree":
        """An empty tree, also where an earlier one was left behind."""
        remove_folder(folder)
        (folder / "ml").mkdir(parents=True)
        return cls(folder)

    @property
    def ml(self) -> Path:
        """The folder that stands for /opt/ml."""
        return self.folder / "ml"

    def make_folder(self, name: str) -> Path:
        """A folder below /opt/ml that exists."""
        folder = self.ml / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def locate(self, container_path: str) -> Path:
        """Where a path below /opt/ml is on this machine; raises JobDataError for any other."""
        path = PurePosixPath(container_path)
        if not path.is_relative_to(CONTAINER_ROOT) or ".." in path.parts:
            raise JobDataError(
                f'"{container_path}" is not a path below {CONTAINER_ROOT}; use one, such as {CONTAINER_ROOT}/x'
            )
        return self.ml / path.relative_to(CONTAINER_ROOT)

    def translate(self, argument: str) -> str:
        """A command line argument with a path below /opt/ml replaced by the one here."""
        return str(self.locate(argument)) if argument.startswith(f"{CONTAINER_ROOT}/") else argument

    def read_text(self, name: str, limit: int) -> str:
        """The first characters of a file the program may have left, or nothing.

        Raises:
            LeftFileError: something else is there, such as a pipe or a link.
        """
        try:
            with open_left_file(self.ml, name) as file:
                # A character is four bytes at most.
                return file.read(4 * limit).decode("utf-8", errors="replace")[:limit]
        except FileNotFoundError:
            return ""

    def open_results(self, folder: Path, note: Callable[[str], None], limit_bytes: int | None) -> LeftFolder:
        """What a program left in a folder of the tree; `note` takes a line for each thing that cannot be stored."""
        return LeftFolder(self.ml, folder.relative_to(self.ml).as_posix(), note, limit_bytes)

    def remove(self) -> None:
        """Removes all of it."""
        remove_folder(self.folder)
        if self.folder.exists():
            logger.warning("tree_not_removed folder=%s", self.folder)


def remove_folder(folder: Path) -> None:
    """Removes a folder as far as possible, read-only folders in it and those too deep for Python included."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
