"""The program's entry: `python -m containers.xgboost train`, or `serve`."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import TRAINING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped
from containers.shared.job.training_failures import TrainingError


def main(arguments: Sequence[str], root: Path, outputs: Outputs) -> int:
    """Train below the root and return the exit code."""

    def work() -> None:
        # Importing takes a while, and a signal to stop must already be heeded during it.
        from .program import train

        train(root, arguments, outputs)

    return run_and_report(work, TrainingError, partial(report_failure, root, reports=TRAINING_REPORTS))


def serve(arguments: Sequence[str]) -> int:
    """Serve until a signal comes, and return the exit code."""
    from containers.shared.serving import server

    return server.main(__package__, arguments)


if __name__ == "__main__":
    if sys.argv[1:] == [sagemaker.SERVE_COMMAND]:
        sys.exit(serve(sys.argv[1:]))
    ml_root = sagemaker.find_root()
    partial_outputs = Outputs()
    code = run_until_stopped(lambda: main(sys.argv[1:], ml_root, partial_outputs), discard=partial_outputs.discard)
    # Threads of the engine that wait for other instances would keep the process.
    sys.stdout.flush()
    os._exit(code)
