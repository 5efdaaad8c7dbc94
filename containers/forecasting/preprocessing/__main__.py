"""The program's entry: `python -m containers.forecasting.preprocessing [--prediction-length 90]`."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import PROCESSING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped
from headrace.errors import HeadraceError


def main(arguments: Sequence[str], root: Path, outputs: Outputs) -> int:
    """Run the program below the root and return its exit code."""

    def work() -> None:
        # Importing takes a while, and a signal to stop must already be heeded during it.
        from .program import parse_options, preprocess

        preprocess(root, parse_options(arguments), outputs)

    return run_and_report(work, HeadraceError, partial(report_failure, root, reports=PROCESSING_REPORTS))


if __name__ == "__main__":
    ml_root = sagemaker.find_root()
    partial_outputs = Outputs()
    sys.exit(run_until_stopped(lambda: main(sys.argv[1:], ml_root, partial_outputs), discard=partial_outputs.discard))
