"""Mistakes a user can correct, and how the container tells SageMaker how it ended."""

import sys
from pathlib import Path

from . import contract


class JobError(Exception):
    """Something that keeps the job from its end; its message says what, where and what to do."""


class ArgumentError(JobError):
    """A command-line argument that cannot be used."""


class SourceError(JobError):
    """A prefix without images, or a manifest that cannot be used."""


class DestinationError(JobError):
    """A destination that holds something else."""


class StorageError(JobError):
    """S3 does not let the job go on."""


class IncompleteError(JobError):
    """The job has gone through all images, and too many are without a picture."""


def report_failure(root: Path, reason: str) -> None:
    """Write the reason to where SageMaker looks for it, and to standard error."""
    sys.stderr.write(f"{reason}\n")
    for name in (contract.FAILURE_FILE, contract.MESSAGE_FILE):
        _write(root, name, reason)


def report_success(root: Path, message: str) -> None:
    """Write what was done to where SageMaker looks for it, and to standard output."""
    sys.stdout.write(f"{message}\n")
    _write(root, contract.MESSAGE_FILE, message)


def _write(root: Path, name: str, text: str) -> None:
    # On a machine that is not SageMaker's there is no root, and nobody looks for the file.
    if root.is_dir():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text[: contract.MAX_FAILURE_CHARACTERS], encoding="utf-8", errors="backslashreplace")
