"""What the instances of a job left in the same folder, as one.

SageMaker puts what all containers of a training job wrote into one archive, and leaves it to them that no two names
clash: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
"""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from headrace.local.sagemaker.left_files import LeftEntry


class Results(Protocol):
    """Files and folders that were left."""

    def list_entries(self) -> list[LeftEntry]:
        """Every file and folder, parents first."""
        ...

    def open(self, entry: LeftEntry) -> BinaryIO:
        """Opens a file of the list."""
        ...


class MergedFolder:
    """The results of several instances; of what has one name, those of the first instance that wrote it.

    Args:
        folders: Those of each instance.
        note: Takes a line for each file that is left out.
    """

    def __init__(self, folders: Sequence[Results], note: Callable[[str], None]) -> None:
        self._folders = folders
        self._note = note
        self._owners: dict[str, Results] = {}

    def list_entries(self) -> list[LeftEntry]:
        """Every file and folder, parents first."""
        entries: dict[str, LeftEntry] = {}
        for number, folder in enumerate(self._folders, start=1):
            for entry in folder.list_entries():
                known = entries.get(entry.name) or find_file_above(entry.name, entries)
                if known is None:
                    entries[entry.name] = entry
                    self._owners[entry.name] = folder
                elif not (known.is_folder and entry.is_folder):
                    self._note(
                        f"{entry.name} of algo-{number}: not stored, because an instance before it left {known.name}"
                    )
        return list(entries.values())

    def open(self, entry: LeftEntry) -> BinaryIO:
        """Opens a file of the list."""
        return self._owners[entry.name].open(entry)


def find_file_above(name: str, entries: dict[str, LeftEntry]) -> LeftEntry | None:
    """The file that stands where a name has a folder."""
    above = (entries.get(str(parent)) for parent in PurePosixPath(name).parents)
    return next((entry for entry in above if entry and not entry.is_folder), None)
