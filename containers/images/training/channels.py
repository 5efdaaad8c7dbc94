"""Finding the job's channels and what lies in them."""

from pathlib import Path

from containers.shared.job.training_channels import list_files
from containers.shared.job.training_failures import TrainingDataError

from . import contract


def find_list(folder: Path) -> Path:
    """The one list in a channel's folder."""
    paths = sorted(folder.rglob(f"*{contract.LIST_SUFFIX}"))
    if not paths:
        raise TrainingDataError(
            f"channel {folder.name!r} has no file named *{contract.LIST_SUFFIX}; it has {list_files(folder)}; "
            "point it at the folder that holds its list"
        )
    if len(paths) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in paths[:5])
        raise TrainingDataError(
            f"channel {folder.name!r} has {len(paths)} files named *{contract.LIST_SUFFIX} ({names}), expected one; "
            "keep each list in its own folder"
        )
    return paths[0]


def read_text(path: Path, channel: str) -> str:
    """The text of a UTF-8 file."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TrainingDataError(
            f"channel {channel!r}, {path.name}, line {line}: not UTF-8; save the file as UTF-8"
        ) from error
