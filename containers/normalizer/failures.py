"""Mistakes a user can correct, and how the container reports to SageMaker how it ended."""

import sys
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job import reporting


class BulkJobError(Exception):
    """Something that keeps the job from its end; its message says what, where and what to do."""


class JobArgumentError(BulkJobError):
    """A command-line argument that cannot be used."""


class SourceError(BulkJobError):
    """A prefix without photographs, or a manifest that cannot be used."""


class DestinationError(BulkJobError):
    """A destination that holds something else."""


class StorageError(BulkJobError):
    """S3 does not let the job go on."""


class TooManyRefusedError(BulkJobError):
    """The job has gone through all photographs, and too many were not normalized."""


def report_failure(root: Path, reason: str) -> None:
    """Write the reason to where SageMaker looks for it, and to standard error."""
    reporting.report_failure(root, reason, reporting.PROCESSING_REPORTS if _is_watched(root) else ())


def report_success(root: Path, message: str) -> None:
    """Write what was done to where SageMaker looks for it, and to standard output."""
    sys.stdout.write(f"{message}\n")
    if _is_watched(root):
        reporting.write_report(root / sagemaker.MESSAGE_FILE, message)


def _is_watched(root: Path) -> bool:
    # On a machine that is not SageMaker's there is no root, and nothing looks for the files.
    return root.is_dir()
