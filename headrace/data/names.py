"""Whether the names of objects can be names of files in one folder."""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from headrace.data.errors import KeyRefusedError
from headrace.data.listing import STAGING, Entry

_SHOWN: Final = 3
_NO_SEGMENTS: Final = {"", ".", ".."}


def keep_files(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that are to be files: all but the empty objects that stand for folders.

    Raises:
        KeyRefusedError: If one would escape the folder or two cannot be in one folder.
    """
    files = [entry for entry in entries if not (entry.is_folder and not entry.size)]
    refused = [entry.name for entry in files if not is_file_name(entry.name)]
    if refused:
        raise KeyRefusedError(
            f"{_show(refused)}: no name of a file inside the folder; rename the objects, or copy them apart"
        )
    names = {entry.name for entry in files}
    both = [folder for folder in _folders(names) if folder in names]
    if both:
        raise KeyRefusedError(f"{_show(both)}: both an object and a folder of objects; rename one of them")
    return files


def is_file_name(name: str) -> bool:
    """Whether a key can be the path of a file below a folder."""
    # obstore knows no such keys either.
    segments = name.split("/")
    if "\0" in name or segments[0] == STAGING or (sys.platform == "win32" and ("\\" in name or ":" in name)):
        return False
    return _NO_SEGMENTS.isdisjoint(segments)


def _folders(names: Iterable[str]) -> list[str]:
    folders: dict[str, None] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders[folder] = None
            folder = folder.rpartition("/")[0]
    return sorted(folders)


def _show(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
