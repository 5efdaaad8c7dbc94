"""The program's entry: `python -m image_preprocessing --source s3://… --destination s3://… [--width 256] …`."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from . import contract
from .failures import JobError, report_failure, report_success
from .stopping import run_until_stopped
from .tally import Tally


def main(arguments: Sequence[str], root: Path, tally: Tally) -> int:
    """Run the program, tell SageMaker below the root how it ended, and return its exit code."""
    try:
        # Importing takes a while, during which a signal to stop shall be heeded already.
        from .arguments import parse_job
        from .program import normalize_all
        from .storage import connect

        job = parse_job(arguments)
        message = normalize_all(job, connect(job.connections), tally)
    except JobError as error:
        report_failure(root, str(error))
        return contract.USER_ERROR_EXIT
    except Exception as error:  # noqa: BLE001 - the program's boundary: whatever went wrong has to be reported
        traceback.print_exc()
        report_failure(root, f"InternalError: {type(error).__name__}: {error}")
        return contract.INTERNAL_ERROR_EXIT
    report_success(root, message)
    return 0


if __name__ == "__main__":
    ml_root = Path(os.environ.get(contract.ML_ROOT_VARIABLE, contract.ML_ROOT))
    running_tally = Tally()
    sys.exit(
        run_until_stopped(
            lambda: main(sys.argv[1:], ml_root, running_tally),
            # Pictures appear whole: there is nothing to discard.
            discard=lambda: running_tally.tell("stopped"),
            stopped_exit=contract.STOPPED_EXIT,
        )
    )
