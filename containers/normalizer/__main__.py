"""The program's entry: `python -m containers.normalizer --source s3://… --destination s3://… [--width 256] …`."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.reporting import run_and_report
from containers.shared.job.resources import read_resources
from containers.shared.job.stopping import run_until_stopped

from .failures import BulkJobError, report_failure, report_success
from .tally import Tally


def main(arguments: Sequence[str], root: Path, tally: Tally) -> int:
    """Run the program, report to SageMaker below the root how it ended, and return its exit code."""

    def work() -> None:
        # Importing takes a while, and a signal to stop must already be heeded during it.
        from .arguments import parse_job
        from .program import normalize_all
        from .sharing import Share
        from .storage import connect

        job = parse_job(arguments)
        said = normalize_all(job, connect(job.connections), tally, Share.of(read_resources(root)))
        if said:
            report_success(root, said)

    return run_and_report(work, BulkJobError, partial(report_failure, root))


if __name__ == "__main__":
    ml_root = sagemaker.find_root()
    running_tally = Tally()
    sys.exit(
        run_until_stopped(
            lambda: main(sys.argv[1:], ml_root, running_tally),
            # Each normalized image appears whole: there is nothing to discard.
            discard=lambda: running_tally.report("stopped"),
        )
    )
