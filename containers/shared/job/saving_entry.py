"""The entry of a program that trains, and saves what is done once more when it is told to stop."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from containers.shared import sagemaker
from containers.shared.job.last_save import LastSave
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import TRAINING_REPORTS, report_failure, run_and_report
from containers.shared.job.stopping import run_until_stopped
from containers.shared.job.training_failures import TrainingError


class Train(Protocol):
    """The training steps of a program."""

    def __call__(
        self,
        root: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        outputs: Outputs,
        last_save: LastSave,
        /,
    ) -> None:
        """Train below the root."""


class Main(Protocol):
    """A program as a function, which returns its exit code."""

    def __call__(
        self,
        arguments: Sequence[str],
        root: Path,
        environment: Mapping[str, str],
        outputs: Outputs,
        last_save: LastSave | None = None,
        /,
    ) -> int:
        """Train below the root, and report what goes wrong."""


def make_main(load: Callable[[], Train]) -> Main:
    """A program of training steps, which it loads first: importing them takes a while, and signals are heeded then."""

    def main(
        arguments: Sequence[str],
        root: Path,
        environment: Mapping[str, str],
        outputs: Outputs,
        last_save: LastSave | None = None,
        /,
    ) -> int:
        def work() -> None:
            load()(root, arguments, environment, outputs, last_save or LastSave())

        return run_and_report(work, TrainingError, partial(report_failure, root, reports=TRAINING_REPORTS))

    return main


def run(main: Main) -> int:
    """Run a program where SageMaker's folders are, with the arguments and the environment of the process."""
    root, outputs, saving = sagemaker.find_root(), Outputs(), LastSave()
    return run_until_stopped(
        lambda: main(sys.argv[1:], root, os.environ, outputs, saving),
        discard=outputs.discard,
        save=saving.await_saved,
    )
