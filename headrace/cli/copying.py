"""`headrace data copy`: its patterns in their order, its streams, its report."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from headrace import files
from headrace.errors import as_shown

if TYPE_CHECKING:
    from headrace import data as library

CHUNK: Final = 1024 * 1024
STREAM: Final = "-"
INCOMPLETE: Final = 3
_PATTERNS: Final = "headrace.patterns"


class CommandWithPatterns(click.Command):
    """A command whose --include and --exclude count in the order in which they are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the order of the two, which Click gives to the parser only."""
        options, _, order = self.make_parser(ctx).parse_args(list(args))
        values = {name: iter(options.get(name) or ()) for name in ("include", "exclude")}
        ctx.meta[_PATTERNS] = [
            (next(values[param.name]), param.name == "include") for param in order if param.name in values
        ]
        return super().parse_args(ctx, args)


def find_taken() -> Callable[[str], bool] | None:
    """Whether a name is wanted, by the patterns of the command that runs; None where it has none."""
    from headrace import data as library

    given = click.get_current_context().meta[_PATTERNS]
    if given and all(takes for _, takes in given):
        click.echo(
            "--include excludes nothing by itself; put --exclude '*' before it to include nothing else", err=True
        )
    return library.Patterns(library.Pattern(text, takes=takes) for text, takes in given).takes if given else None


def replicate_most(source: str, target: str, **options: Any) -> "library.Report":
    """Replicate what can be; the report also has what could not."""
    from headrace import data as library

    try:
        return library.replicate(source, target, **options)
    except library.IncompleteError as error:
        return error.report


def is_stream(source: str) -> bool:
    """Whether something can be read only once: standard input, a pipe, a terminal."""
    if source == STREAM:
        return True
    try:
        return files.is_stream(Path(source))
    except OSError:
        return False


@contextmanager
def open_source(source: str) -> Iterator[BinaryIO]:
    """Standard input, or what an address names."""
    from headrace import data as library

    if source == STREAM:
        yield sys.stdin.buffer
        return
    with library.open_object(source) as file:
        yield file


def print_content(source: str) -> None:
    """Write what is at an address to standard output."""
    with open_source(source) as file:
        shutil.copyfileobj(file, sys.stdout.buffer, CHUNK)
        sys.stdout.buffer.flush()


def store_stream(source: str, target: str, *, content_type: str | None, dry_run: bool) -> "library.Report":
    """Copy what can be read only once to an address."""
    from headrace import data as library

    size = 0
    if not dry_run:
        with open_source(source) as file:
            size = library.write_stream(target, file, content_type=content_type)
    name = target.rpartition("/")[2]
    return library.Report(
        source=source,
        target=target,
        copied=(name,),
        unchanged=(),
        missing=(),
        skipped=(),
        deleted=(),
        bytes_copied=size,
    )


@contextmanager
def progress_bar() -> "Iterator[Callable[[library.Progress], object] | None]":
    """A progress bar on standard error, and only where a person watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("list")
        yield lambda now: bar.update(
            task, description=f"{now.files} of {now.files_total} files", completed=now.bytes, total=now.bytes_total
        )


def print_report(report: "library.Report", *, dry_run: bool, as_json: bool) -> None:
    """The names of what was copied on standard output, all else on standard error; or everything as JSON."""
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **asdict(report)}, indent=2))
        return
    for name in report.copied:
        click.echo(as_line(name))
    for name in report.deleted:
        click.echo(f"{'to delete' if dry_run else 'deleted'}: {as_line(name)}", err=True)
    for name in report.missing:
        click.echo(f"missing: {as_line(name)} was listed, but no longer exists", err=True)
    for file in report.skipped:
        report_skipped(file.name, file.reason)
    click.echo(_sum_up(report, dry_run=dry_run), err=True)


def report_skipped(name: str, reason: str) -> None:
    """Say on standard error what was left out, and why."""
    click.echo(f"skipped: {as_line(name)}: {reason}", err=True)


def as_line(name: str) -> str:
    r"""A name on one line: control characters are escaped, bytes that are not text stay as they are.

    Example:
        >>> as_line("cats\r/1.jpg")
        'cats\\r/1.jpg'
    """
    return as_shown(name, keeps_bytes=True)


def _sum_up(report: "library.Report", *, dry_run: bool) -> str:
    copied, deleted = ("to copy", "to delete") if dry_run else ("copied", "deleted")
    counts = [
        f"{len(report.copied)} {copied} ({report.bytes_copied} bytes)",
        f"{len(report.unchanged)} unchanged",
        f"{len(report.missing)} missing",
    ]
    if report.skipped:
        counts.append(f"{len(report.skipped)} skipped")
    if report.deleted:
        counts.append(f"{len(report.deleted)} {deleted}")
    return ", ".join(counts)
