"""Mistakes a user can correct, and how the container reports a failure to SageMaker."""

import sys
from pathlib import Path

from . import contract


class PreprocessingError(Exception):
    """A mistake in the data or the arguments; its message says what, where and what to do."""


class ArgumentError(PreprocessingError):
    """A command-line argument that cannot be used."""


class DataError(PreprocessingError):
    """Input files that cannot be used as they are."""


def report_failure(root: Path, reason: str) -> None:
    """Write the reason to where SageMaker looks for it, and to standard error."""
    sys.stderr.write(f"{reason}\n")
    for name in (contract.FAILURE_FILE, contract.MESSAGE_FILE):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reason[: contract.MAX_FAILURE_CHARACTERS], encoding="utf-8", errors="backslashreplace")
