"""Where the paths of a list lead: below the channel, as SageMaker puts them together, and nowhere else."""

import re
from pathlib import Path
from typing import Final

# What `find_stray` finds something in, as DuckDB's RE2 and Python both read it.
STRAY_PATTERN: Final = r"\x00|^/|(^|/)\.\.(/|$)|\\|^[A-Za-z][A-Za-z0-9+.-]*:/"
_STRAY = re.compile(STRAY_PATTERN)


def find_stray(path: str) -> str | None:
    r"""Why a path does not lead below the channel; None where it does.

    Example:
        >>> find_stray("../cat.jpg")
        'leaves its folder with ..; give the path below the channel'
        >>> find_stray("cat/1.jpg") is None
        True
    """
    if not _STRAY.search(path):
        return None
    if "\0" in path:
        return "has a NUL character, which file names cannot have; rewrite the path"
    if path.startswith("/"):
        return "is absolute; give the path below the channel"
    if "\\" in path:
        return "has a backslash; write / between folders"
    if ".." in path.split("/"):
        return "leaves its folder with ..; give the path below the channel"
    return "is an address or a drive; give the path below the channel"


def leaves_folder(path: Path, folder: Path) -> bool:
    """Whether links on the way lead out of the folder."""
    return not path.resolve().is_relative_to(folder.resolve())
