"""`headrace data`: what is in S3 and on this machine, copied, listed, printed, measured."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from headrace.errors import explain_os_error

if TYPE_CHECKING:
    from headrace import data as library

CHUNK = 1024 * 1024
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group()
def data() -> None:
    """Bring data from S3 to this machine and back.

    An address is s3://bucket/key or a path; credentials, region and endpoint are those of boto3.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for objects that were gone by their turn,
    130 stopped by Ctrl-C. Files appear whole or not at all; to finish what failed, run it again.
    """


@data.command()
@click.argument("source")
@click.argument("target")
@click.option("--dry-run", is_flag=True, help="Copy nothing; show what would be copied.")
@click.option("--checksum", is_flag=True, help="Compare contents also where size and time are equal.")
@click.option("--workers", type=click.IntRange(1, 512), default=64, show_default=True, help="Requests at once.")
@JSON_OPTION
@click.pass_context
def copy(
    context: click.Context, *, source: str, target: str, dry_run: bool, checksum: bool, workers: int, as_json: bool
) -> None:
    """Copy what is at SOURCE to TARGET: a prefix, a folder or one object; only what changed.

    Prints the names of what was copied, and the counts on standard error.

    Example: headrace data copy s3://raw/images/ images
    """
    from headrace import data as library

    with _mistakes_told(), _bar() as show:
        report = library.replicate(source, target, workers=workers, checksum=checksum, dry_run=dry_run, progress=show)
    _print_report(report, dry_run=dry_run, as_json=as_json)
    if report.missing:
        context.exit(3)


@data.command("ls")
@click.argument("address")
@click.option("--recursive", is_flag=True, help="Go into folders.")
@JSON_OPTION
def list_command(address: str, *, recursive: bool, as_json: bool) -> None:
    """List what is at ADDRESS: bytes, time and name, separated by tabs; only a name for a folder.

    With --json an object per line.

    Example: headrace data ls s3://raw/images/
    """
    from headrace import data as library

    with _mistakes_told():
        for entry in library.list_objects(address, recursive=recursive):
            click.echo(_describe(entry) if as_json else _render(entry))


@data.command()
@click.argument("address")
def cat(address: str) -> None:
    """Write the object at ADDRESS to standard output.

    Example: headrace data cat s3://raw/bigmart/Train.csv | head -3
    """
    from headrace import data as library

    with _mistakes_told(), library.open_object(address) as file:
        shutil.copyfileobj(file, sys.stdout.buffer, CHUNK)
        sys.stdout.buffer.flush()


@data.command()
@click.argument("address")
@JSON_OPTION
def du(address: str, *, as_json: bool) -> None:
    """Measure what is at ADDRESS: bytes and number of objects, separated by a tab.

    Example: headrace data du s3://raw/
    """
    from headrace import data as library

    with _mistakes_told():
        usage = library.measure_usage(address)
    click.echo(json.dumps(asdict(usage)) if as_json else f"{usage.bytes}\t{usage.objects}")


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Turn what can go wrong into a message and exit code 1."""
    from headrace.data import AddressError, DataError

    try:
        yield
    except AddressError as error:
        raise click.UsageError(str(error)) from None
    except DataError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(explain_os_error(error)) from None


@contextmanager
def _bar() -> Iterator["Callable[[library.Progress], object] | None"]:
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


def _print_report(report: "library.Report", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **asdict(report)}, indent=2))
        return
    for name in report.copied:
        click.echo(name)
    for name in report.missing:
        click.echo(f"missing: {name} was listed, but is gone", err=True)
    copied = "to copy" if dry_run else "copied"
    click.echo(
        f"{len(report.copied)} {copied} ({report.bytes_copied} bytes), {len(report.unchanged)} unchanged, "
        f"{len(report.missing)} missing",
        err=True,
    )


def _render(entry: "library.Entry") -> str:
    return f"\t\t{entry.name}" if entry.is_folder else f"{entry.size}\t{_show_time(entry)}\t{entry.name}"


def _describe(entry: "library.Entry") -> str:
    if entry.is_folder:
        return json.dumps({"name": entry.name})
    return json.dumps({"name": entry.name, "size": entry.size, "modified": _show_time(entry), "etag": entry.etag})


def _show_time(entry: "library.Entry") -> str:
    return entry.modified_at.isoformat(timespec="seconds").replace("+00:00", "Z")
