"""The program's entry: `python -m containers.seq2seq.preprocessing [--train-test-split-ratio 0.1] [--seed 42]`."""

import sys
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import PROCESSING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped

from .program import parse_options, preprocess
from .reading import PairsError


def main(arguments: list[str], root: Path, outputs: Outputs) -> int:
    """Run the program below the root and return its exit code."""
    report = partial(report_failure, root, reports=PROCESSING_REPORTS)
    return run_and_report(lambda: preprocess(root, parse_options(arguments), outputs), PairsError, report)


if __name__ == "__main__":
    ml_root, partial_outputs = sagemaker.find_root(), Outputs()
    sys.exit(run_until_stopped(lambda: main(sys.argv[1:], ml_root, partial_outputs), discard=partial_outputs.discard))
