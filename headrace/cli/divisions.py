"""What `headrace lst split` and `headrace manifest split` have in common: their parts, and what they report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headrace.cli.paths import OUTPUT_FILE
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO

RATIO: Final = click.FloatRange(0, 1, min_open=True, max_open=True)

Command = TypeVar("Command", bound=Callable[..., Any])


def seed_option(text: str) -> Callable[[Command], Command]:
    """The option for what a choice by hashes starts from, with its text for --help."""
    return click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help=text)


def with_parts(command: Command) -> Command:
    """Give a command the options that say into which parts it divides, how large they are, and where they go."""
    for option in (
        seed_option("The seed of the division; another one divides differently."),
        click.option(
            "--test-ratio",
            type=RATIO,
            callback=_require_test,
            help="Share to hold out for the final test.  [default: the validation ratio]",
        ),
        click.option(
            "--ratio", type=RATIO, default=DEFAULT_VALIDATION_RATIO, show_default=True, help="Share to hold out."
        ),
        click.option(
            "--test",
            type=OUTPUT_FILE,
            is_eager=True,
            help="The file for the final test part.  [default: no such part]",
        ),
        click.option("--validation", type=OUTPUT_FILE, required=True, help="The file for the held-out part."),
        click.option("--train", type=OUTPUT_FILE, required=True, help="The file for the training part."),
    ):
        command = option(command)
    return command


def _require_test(context: click.Context, _option: click.Parameter, test_ratio: float | None) -> float | None:
    if test_ratio and context.params.get("test") is None:
        raise click.UsageError("--test-ratio requires --test, the file for that part")
    return test_ratio


def report_alone(path: Path, count: int, text: str) -> None:
    """Say what a division could not do for some rows."""
    if count:
        click.echo(f"{path}: {count} rows {text}", err=True)
