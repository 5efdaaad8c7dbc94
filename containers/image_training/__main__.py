"""The program's entry: `python -m image_training train`."""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import contract
from .failures import TrainingError, report_failure
from .outputs import Outputs
from .stopping import run_until_stopped


def main(arguments: Sequence[str], root: Path, environment: Mapping[str, str], outputs: Outputs) -> int:
    """Run the program below the root and return its exit code."""
    try:
        # Importing takes a while, during which a signal to stop shall be heeded already.
        from .program import train

        train(root, arguments, environment, outputs)
    except TrainingError as error:
        report_failure(root, str(error))
        return contract.USER_ERROR_EXIT
    except Exception as error:  # noqa: BLE001 - the program's boundary: whatever went wrong has to be reported
        traceback.print_exc()
        report_failure(root, f"InternalError: {type(error).__name__}: {error}")
        return contract.INTERNAL_ERROR_EXIT
    return 0


if __name__ == "__main__":
    ml_root = Path(os.environ.get(contract.ML_ROOT_VARIABLE, contract.ML_ROOT))
    partial_outputs = Outputs()
    sys.exit(
        run_until_stopped(
            lambda: main(sys.argv[1:], ml_root, os.environ, partial_outputs),
            discard=partial_outputs.discard,
            stopped_exit=contract.STOPPED_EXIT,
        )
    )
