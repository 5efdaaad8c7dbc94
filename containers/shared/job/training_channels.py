"""Finding a training job's channels."""

from collections.abc import Collection
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.training_failures import TrainingDataError


def find_channel(root: Path, channel: str, declared: Collection[str]) -> Path:
    """The channel's folder, once it is known to hold a file."""
    if channel not in declared:
        raise TrainingDataError(
            f"the job has no channel {channel!r}, only {', '.join(map(repr, declared)) or 'none at all'}; "
            "add it to the job's InputDataConfig"
        )
    folder = root / sagemaker.DATA_FOLDER / channel
    if not any(path.is_file() for path in folder.rglob("*")):
        raise TrainingDataError(
            f"channel {channel!r} is empty: there is no file in {folder}; likely causes: its S3Uri names a prefix "
            "without objects (a misspelt name, or the step that writes it has not run), a manifest without entries, "
            "or a file system DirectoryPath that is not the data's"
        )
    return folder


def find_one(folder: Path, suffix: str) -> Path:
    """The only file of a channel's folder whose name ends so."""
    paths = sorted(folder.rglob(f"*{suffix}"))
    if len(paths) != 1:
        raise TrainingDataError(
            f"channel {folder.name!r} has {len(paths)} files named *{suffix}, expected one; it has {list_files(folder)}"
        )
    return paths[0]


def list_files(folder: Path) -> str:
    """The first few file names of a folder, for a message."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
