"""The program's entry: `python -m containers.detection train`, or `serve`."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import TRAINING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped
from containers.shared.job.training_failures import TrainingError
from containers.shared.serving import server


def main(
    arguments: Sequence[str],
    root: Path,
    environment: Mapping[str, str],
    outputs: Outputs,
    last_save: LastSave | None = None,
) -> int:
    """Train below the root and return the exit code."""

    def work() -> None:
        # Read when PyTorch is imported: threads that wait in a loop take the processors from those that work.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # Importing takes a while, and a signal to stop must already be heeded during it.
        from .program import train

        train(root, arguments, environment, outputs, last_save or LastSave())

    return run_and_report(work, TrainingError, partial(report_failure, root, reports=TRAINING_REPORTS))


if __name__ == "__main__":
    if sys.argv[1:] == [sagemaker.SERVE_COMMAND]:
        sys.exit(server.main(__package__, sys.argv[1:]))
    ml_root = sagemaker.find_root()
    partial_outputs = Outputs()
    saving = LastSave()
    sys.exit(
        run_until_stopped(
            lambda: main(sys.argv[1:], ml_root, os.environ, partial_outputs, saving),
            discard=partial_outputs.discard,
            save=saving.await_saved,
        )
    )
