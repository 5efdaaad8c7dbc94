"""The entry of a program that trains, and saves what is done once more when it is told to stop."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from containers.shared import sagemaker
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import TRAINING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped
from containers.shared.job.training_failures import TrainingError

# The training steps of a program, below a root, with its arguments, its environment, and what a signal to stop needs.
Train = Callable[[Path, Sequence[str], Mapping[str, str], Outputs, LastSave], None]


@dataclass(frozen=True)
class Main:
    """A program as a function, which returns its exit code.

    Args:
        load: Gives the training steps: importing them takes a while, and signals are heeded then.
    """

    load: Callable[[], Train]

    def __call__(
        self,
        arguments: Sequence[str],
        root: Path,
        environment: Mapping[str, str],
        outputs: Outputs,
        last_save: LastSave | None = None,
    ) -> int:
        """Train below the root, and report what goes wrong."""

        def work() -> None:
            self.load()(root, arguments, environment, outputs, last_save or LastSave())

        return run_and_report(work, TrainingError, partial(report_failure, root, reports=TRAINING_REPORTS))


def run(main: Main) -> int:
    """Run a program where SageMaker's folders are, with the arguments and the environment of the process."""
    root, outputs, saving = sagemaker.find_root(), Outputs(), LastSave()
    return run_until_stopped(
        lambda: main(sys.argv[1:], root, os.environ, outputs, saving),
        discard=outputs.discard,
        save=saving.await_saved,
    )
