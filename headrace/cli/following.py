"""Commands that wait for an execution's end, and what they end with themselves."""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from headrace.cli import progress
from headrace.cli.execution_report import EXIT_CODES, describe, find_outcome
from headrace.cli.pipeline_options import Target
from headrace.errors import as_shown
from headrace.pipeline.history import Execution, History, Visit

_POLL_SECONDS: Final = 2
_LOCAL_POLL_SECONDS: Final = 0.2
_ON_INTERRUPT: Final = (("show", "--wait"), ("stop",))


def find_poll_seconds() -> float:
    """How long to wait before looking again."""
    return _LOCAL_POLL_SECONDS if os.environ.get("AWS_ENDPOINT_URL") else _POLL_SECONDS


def wait_for_end(arn: str, target: Target) -> tuple[Execution, History]:
    """Wait for an execution's end, with what it does on standard error."""
    from headrace.pipeline.executions import follow_execution

    progress.note(arn)
    try:
        with progress.step("run the state machine"):
            return follow_execution(arn, lambda visit: progress.note(_explain_visit(visit)), find_poll_seconds())
    except KeyboardInterrupt:
        _say_how_to_go_on("the execution goes on", arn, target)
        raise


@contextmanager
def explaining_interruption(target: Target) -> Iterator[None]:
    """Say of an execution whose start is interrupted by Ctrl-C that it may go on, and how to see and to stop it."""
    from headrace.pipeline.executions import StartInterruptedError

    try:
        yield
    except StartInterruptedError as interruption:
        _say_how_to_go_on("the execution may have started", interruption.arn, target)
        raise


def _say_how_to_go_on(state: str, arn: str, target: Target) -> None:
    watch, end = (shlex.join(["headrace", "pipeline", *words, arn, *target.place]) for words in _ON_INTERRUPT)
    click.echo(f"{state}\n  to wait for it: {watch}\n  to stop it: {end}", err=True)


def _explain_visit(visit: Visit) -> str:
    seconds = f", {visit.seconds:.1f} s" if visit.seconds is not None else ""
    tries = f", try {visit.tries}" if visit.tries > 1 else ""
    return (
        f"{as_shown(visit.name)}: {visit.status}{seconds}{tries}{f': {as_shown(visit.error)}' if visit.error else ''}"
    )


def report_end(execution: Execution, history: History, *, as_json: bool) -> None:
    """Print what an execution has come to, and exit as that says."""
    click.echo(json.dumps(describe(execution, history), indent=2) if as_json else find_outcome(execution))
    exit_by_outcome(execution)


def exit_by_outcome(execution: Execution) -> None:
    """Exit with 0 only if an execution succeeded and did what it is for.

    Raises:
        ClickException: If it failed; with its error and cause.
    """
    if execution.status != "SUCCEEDED":
        raise click.ClickException(f"{execution.error or execution.status}: {execution.cause or 'no cause is given'}")
    click.get_current_context().exit(EXIT_CODES.get(find_outcome(execution), 0))
