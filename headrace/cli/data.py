"""`headrace data`: what is in S3 and on this machine, copied, listed, printed, measured."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from headrace.cli.copying import (
    INCOMPLETE,
    STREAM,
    CommandWithPatterns,
    as_line,
    find_taken,
    is_stream,
    print_content,
    print_report,
    progress_bar,
    replicate_most,
    report_skipped,
    store_stream,
)
from headrace.cli.json_option import JSON_OPTION

if TYPE_CHECKING:
    from headrace import data as library


@click.group()
def data() -> None:
    """Copy data between S3 and this machine.

    An address is s3://bucket/key or a path; credentials, region and endpoint are those of boto3.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for what was skipped, with a line for each that says
    why, or was gone by its turn, 130 stopped by Ctrl-C. Files appear whole or not at all; to finish what failed,
    run it again.
    """


@data.command(cls=CommandWithPatterns)
@click.argument("source")
@click.argument("target")
@click.option("--dry-run", is_flag=True, help="Copy and delete nothing; show what would be done.")
@click.option("--checksum", is_flag=True, help="Compare contents even if size and time are equal.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Include the names that match, such as '*.jpg'.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Exclude the names that match. If several patterns match a name, the last one decides, as in the AWS CLI; "
    "* matches slashes too.",
)
@click.option(
    "--delete",
    is_flag=True,
    help="Afterwards, delete what is at TARGET but not at SOURCE; nothing if SOURCE is empty or anything was skipped.",
)
@click.option("--content-type", metavar="TYPE", help="The content type of uploaded objects.  [default: from each name]")
@click.option("--workers", type=click.IntRange(1, 512), default=64, show_default=True, help="Requests at once.")
@JSON_OPTION
@click.pass_context
def copy(
    context: click.Context,
    *,
    source: str,
    target: str,
    dry_run: bool,
    checksum: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    delete: bool,
    content_type: str | None,
    workers: int,
    as_json: bool,
) -> None:
    """Copy what is at SOURCE to TARGET: a prefix, a folder or one object; only what changed.

    SOURCE - is standard input, TARGET - is standard output. Links are followed. What cannot be copied is skipped with
    a line that says why. Prints the names of what was copied, and all else on standard error.

    Example: headrace data copy s3://raw/images/ images
    """
    if target == STREAM or is_stream(source):
        _refuse_for_streams(target, has_patterns=bool(include or exclude), delete=delete, as_json=as_json)
    with _refusing_addresses(), progress_bar() as show:
        if target == STREAM:
            if not dry_run:
                print_content(source)
            return
        if is_stream(source):
            report = store_stream(source, target, content_type=content_type, dry_run=dry_run)
        else:
            report = replicate_most(
                source,
                target,
                workers=workers,
                checksum=checksum,
                takes=find_taken(),
                mirror=delete,
                content_type=content_type,
                dry_run=dry_run,
                progress=show,
            )
    print_report(report, dry_run=dry_run, as_json=as_json)
    if delete and report.skipped and not report.deleted:
        click.echo("nothing was deleted because not everything could be copied", err=True)
    if report.missing or report.skipped:
        context.exit(INCOMPLETE)


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

    with _refusing_addresses(), _reporting_skipped() as keep:
        for entry in keep(library.list_objects(address, recursive=recursive)):
            click.echo(_describe(entry) if as_json else _render(entry))


@data.command()
@click.argument("address")
def cat(address: str) -> None:
    """Write the object at ADDRESS, or standard input for -, to standard output.

    Example: headrace data cat s3://raw/bigmart/Train.csv | head -3
    """
    with _refusing_addresses():
        print_content(address)


@data.command()
@click.argument("address")
@JSON_OPTION
def du(address: str, *, as_json: bool) -> None:
    """Measure what is at ADDRESS: bytes and number of objects, separated by a tab.

    Example: headrace data du s3://raw/
    """
    from headrace import data as library

    with _refusing_addresses(), _reporting_skipped() as keep:
        usage = library.add_up(keep(library.list_objects(address, recursive=True)))
        click.echo(json.dumps(asdict(usage)) if as_json else f"{usage.bytes}\t{usage.objects}")


@contextmanager
def _refusing_addresses() -> Iterator[None]:
    """Take what is not an address for wrong usage."""
    from headrace.data import AddressError

    try:
        yield
    except AddressError as error:
        raise click.UsageError(str(error)) from None


class _Skipping:
    """Leaves out what is not a file, says why, and remembers that it did."""

    def __init__(self) -> None:
        self.has_skipped = False

    def __call__(self, entries: "Iterable[library.Entry]") -> "Iterator[library.Entry]":
        for entry in entries:
            if entry.problem:
                self.has_skipped = True
                report_skipped(entry.name, entry.problem)
            else:
                yield entry


@contextmanager
def _reporting_skipped() -> Iterator[_Skipping]:
    """Ends the command with the code for an incomplete result where something was left out."""
    skipping = _Skipping()
    yield skipping
    if skipping.has_skipped:
        click.get_current_context().exit(INCOMPLETE)


def _refuse_for_streams(target: str, *, has_patterns: bool, delete: bool, as_json: bool) -> None:
    if has_patterns or delete:
        raise click.UsageError("--include, --exclude and --delete are for folders and prefixes, not for a stream")
    if target == STREAM and as_json:
        raise click.UsageError("--json and the content cannot both go to standard output")


def _render(entry: "library.Entry") -> str:
    name = as_line(entry.name)
    return f"\t\t{name}" if entry.is_folder else f"{entry.size}\t{_show_time(entry)}\t{name}"


def _describe(entry: "library.Entry") -> str:
    if entry.is_folder:
        return json.dumps({"name": entry.name})
    return json.dumps({"name": entry.name, "size": entry.size, "modified": _show_time(entry), "etag": entry.etag})


def _show_time(entry: "library.Entry") -> str:
    return entry.modified_at.isoformat(timespec="seconds").replace("+00:00", "Z")
