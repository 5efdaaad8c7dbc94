"""How a job ends: its exit code, and the reason where SageMaker looks for it."""

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from containers.shared import sagemaker

TRAINING_REPORTS = (sagemaker.FAILURE_FILE,)
PROCESSING_REPORTS = (sagemaker.FAILURE_FILE, sagemaker.MESSAGE_FILE)


def run_and_report(work: Callable[[], None], mistake: type[Exception], report: Callable[[str], None]) -> int:
    """Run the work and return its exit code; report a mistake of the user's by its message, all else as internal."""
    try:
        work()
    except mistake as error:
        report(str(error))
        return sagemaker.USER_ERROR_EXIT
    except Exception as error:  # noqa: BLE001 - the program's boundary: whatever went wrong has to be reported
        traceback.print_exc()
        report(f"InternalError: {type(error).__name__}: {error}")
        return sagemaker.INTERNAL_ERROR_EXIT
    return 0


def report_failure(root: Path, reason: str, reports: Sequence[str]) -> None:
    """Write the reason to where SageMaker looks for it, and to standard error."""
    sys.stderr.write(f"{reason}\n")
    for name in reports:
        write_report(root / name, reason)


def write_report(path: Path, text: str) -> None:
    """Write as much of the text as SageMaker shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text[: sagemaker.MAX_FAILURE_CHARACTERS], encoding="utf-8", errors="backslashreplace")
