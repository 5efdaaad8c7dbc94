"""Running a job's program the way SageMaker calls it."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from containers.shared import sagemaker
from containers.shared.job.outputs import Outputs
from containers.shared.job.stopping import run_until_stopped


def start(main: Callable[[Sequence[str], Path, Outputs], int]) -> NoReturn:
    """Run the program with the command line's arguments and end with its exit code; stopped, it leaves nothing half."""
    root, outputs = sagemaker.find_root(), Outputs()
    sys.exit(run_until_stopped(lambda: main(sys.argv[1:], root, outputs), discard=outputs.discard))
