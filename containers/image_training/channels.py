"""Finding the job's channels and what lies in them."""

from collections.abc import Collection
from pathlib import Path

from . import contract
from .failures import ChannelError


def find_channel(root: Path, channel: str, declared: Collection[str]) -> Path:
    """The channel's folder, once it is known to hold a file."""
    if channel not in declared:
        raise ChannelError(
            f"the job has no channel {channel!r}, only {', '.join(map(repr, declared)) or 'none at all'}; "
            "add it to the job's InputDataConfig"
        )
    folder = root / contract.DATA_FOLDER / channel
    if not any(path.is_file() for path in folder.rglob("*")):
        raise ChannelError(
            f"channel {channel!r} is empty: there is no file in {folder}; likely causes: its S3Uri names a prefix "
            "without objects (a misspelt name, or the step that writes it has not run), a manifest without entries, "
            "or a file system DirectoryPath that is not the data's"
        )
    return folder


def find_list(folder: Path) -> Path:
    """The one list in a channel's folder."""
    paths = sorted(folder.rglob(f"*{contract.LIST_SUFFIX}"))
    if not paths:
        raise ChannelError(
            f"channel {folder.name!r} has no file named *{contract.LIST_SUFFIX}; it has {list_files(folder)}; "
            "point it at the folder that holds its list"
        )
    if len(paths) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in paths[:5])
        raise ChannelError(
            f"channel {folder.name!r} has {len(paths)} files named *{contract.LIST_SUFFIX} ({names}), expected one; "
            "keep each list in a folder of its own"
        )
    return paths[0]


def read_text(path: Path, channel: str) -> str:
    """The text of a UTF-8 file."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ChannelError(
            f"channel {channel!r}, {path.name}, line {line}: not UTF-8; save the file as UTF-8"
        ) from error


def list_files(folder: Path) -> str:
    """The first few file names of a folder, for a message."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
