"""Mistakes a user can correct, and how the container reports a failure to SageMaker."""

import sys
from pathlib import Path

from . import contract


class TrainingError(Exception):
    """A mistake in the job or its data; its message says what, where and what to do."""


class JobError(TrainingError):
    """A job whose arguments, configuration or resources cannot be used."""


class HyperparameterError(TrainingError):
    """A hyperparameter that is unknown or out of its range."""


class ChannelError(TrainingError):
    """A channel that is missing, empty or holds data that cannot be used."""


def report_failure(root: Path, reason: str) -> None:
    """Write the reason to where SageMaker looks for it, and to standard error."""
    sys.stderr.write(f"{reason}\n")
    path = root / contract.FAILURE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reason[: contract.MAX_FAILURE_CHARACTERS], encoding="utf-8", errors="backslashreplace")
