"""`headrace pipeline golden`: golden requests, recorded from an endpoint and asked of one."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE, report
from headrace.cli.pipeline_options import Target, with_workload
from headrace.cli.tables import render_table
from headrace.contract import GOLDEN_FILE
from headrace.errors import HeadraceError, as_shown
from headrace.files import is_stream, whole_files
from headrace.golden.answers import Wrong, find_wrong, read_expected
from headrace.golden.differences import list_differences
from headrace.golden.recording import Recording, read_questions, record, render_requests
from headrace.golden.requests import GoldenRequest, parse_requests
from headrace.inputs import read_document
from headrace.s3.addresses import S3Address

_MOST_SHOWN: Final = 60
_MOST_DIFFERENCES: Final = 5
_ENDPOINT: Final = click.option(
    "--endpoint", help="The endpoint to ask.  [default: the one of the workload in the environment]"
)
_NAME: Final = click.option(
    "--name",
    default="requests.jsonl",
    show_default=True,
    help="The file's name where the pipeline reads it: the setting endpoint.golden.requests.",
)


def _check_finite(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a number that is 0 or more")
    return value


class GoldenFileError(HeadraceError):
    """Golden requests that are not written: some have no answers, or their place is taken."""


@click.group()
def golden() -> None:
    """Golden requests: requests with the answers that every good model gives."""


@golden.command("record")
@click.argument("files", nargs=-1, required=True, type=INPUT_FILE)
@with_workload
@_ENDPOINT
@click.option("-o", "--output", type=OUTPUT_FILE, help="Where to write them.  [default: standard output]")
@click.option("--upload", is_flag=True, help="Put them where the pipeline reads them.")
@_NAME
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    callback=_check_finite,
    default=0,
    show_default=True,
    help="How far a number may be off, by itself or as a share of it, where a request does not say so itself.",
)
@click.option("--header/--no-header", default=True, show_default=True, help="Whether CSV files begin with a header.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def record_command(
    *,
    files: Sequence[Path],
    endpoint: str | None,
    output: Path | None,
    upload: bool,
    name: str,
    tolerance: float,
    header: bool,
    force: bool,
    **target: Any,
) -> None:
    """Ask an endpoint, and keep its answers as the ones to expect.

    FILES hold rows (.csv), a photograph each (.jpg, .png, …), or golden requests in JSON Lines, whose "expected" may be
    left out. Unless every request is answered, nothing is written.

    Example: headrace pipeline golden record rows.csv --tolerance 0.2 -o requests.jsonl
    """
    questions = [
        question
        for file in files
        for question in read_questions(file, read_document(file), tolerance=tolerance, has_header=header)
    ]
    # What would be refused in the end is refused before anything is asked.
    render_requests(questions, " and ".join(map(str, files)))
    outputs = [] if output is None and upload else [output or Path("/dev/stdout")]
    _refuse_taken(outputs, force=force)
    chosen = Target(**target)
    asked = _find_endpoint(chosen, endpoint)
    place = _find_place(chosen, name) if upload else None
    if place and not force:
        _refuse_taken_place(place)
    content = _render(_record(questions, asked), len(questions), asked)
    _refuse_taken(outputs, force=force)
    with whole_files(*outputs) as partials:
        for partial in partials:
            partial.write_bytes(content)
        if place:
            _upload(place, content, force=force)
    report(f"{len(questions)} golden requests recorded from {as_shown(asked)}", *outputs)


@golden.command()
@click.argument("file", required=False, type=INPUT_FILE)
@with_workload
@_ENDPOINT
@_NAME
@JSON_OPTION
def check(*, file: Path | None, endpoint: str | None, name: str, as_json: bool, **target: Any) -> None:
    """Ask an endpoint golden requests, and say which answers are wrong; exits with 1 if any is.

    FILE has the requests; by default they are those that the pipeline reads.

    Example: headrace pipeline golden check --env prod
    """
    chosen = Target(**target)
    asked = _find_endpoint(chosen, endpoint)
    requests = parse_requests(read_document(file), file) if file else _download(_find_place(chosen, name))
    from headrace.pipeline.golden import open_endpoint

    with progress.step(f"ask {asked}"):
        wrong = find_wrong(requests, open_endpoint(asked))
    click.echo(
        json.dumps(_describe(asked, len(requests), wrong), indent=2)
        if as_json
        else _render_wrong(asked, len(requests), wrong)
    )
    if wrong:
        click.get_current_context().exit(1)


def _find_endpoint(target: Target, endpoint: str | None) -> str:
    from headrace.pipeline.golden import find_endpoint

    target.use_clients()
    return endpoint or find_endpoint(target.environment_name, target.recipe)


def _find_place(target: Target, name: str) -> S3Address:
    from headrace.pipeline.golden import find_place

    if not re.fullmatch(GOLDEN_FILE, name):
        raise GoldenFileError(
            f"--name: found '{name}'; give 1 to 128 letters, digits, '.', '_' and '-', the first a letter or a digit"
        )
    return find_place(target.environment_name, target.recipe, name)


def _download(place: S3Address) -> list[GoldenRequest]:
    from headrace.pipeline.golden import download_requests

    return parse_requests(download_requests(place), place)


def _refuse_taken_place(place: S3Address) -> None:
    from headrace.pipeline.golden import refuse_taken

    refuse_taken(place)


def _upload(place: S3Address, content: bytes, *, force: bool) -> None:
    from headrace.pipeline.golden import upload_requests

    upload_requests(place, content, replaces=force)


def _record(questions: Sequence[GoldenRequest], endpoint: str) -> Recording:
    from headrace.pipeline.golden import open_endpoint

    with progress.step(f"ask {endpoint}"):
        return record(questions, open_endpoint(endpoint))


def _render(recording: Recording, count: int, endpoint: str) -> bytes:
    if recording.unanswered:
        reasons = "".join(f"\n  {each.id}: {each.reason}" for each in recording.unanswered)
        raise GoldenFileError(
            f"{len(recording.unanswered)} of {count} requests have no answer to expect, so nothing is written:{reasons}"
        )
    return render_requests(recording.requests, f"what {endpoint} answers")


def _refuse_taken(outputs: Sequence[Path], *, force: bool) -> None:
    for output in outputs:
        if output.exists() and not is_stream(output) and not force:
            raise GoldenFileError(f"{output} is already there; name another file, or replace it with --force")


def _describe(endpoint: str, count: int, wrong: Sequence[Wrong]) -> dict[str, Any]:
    """Wrong answers for programs."""
    return {
        "endpoint": endpoint,
        "requests": count,
        "wrong": [
            {
                "id": each.id,
                "expected": each.request.expected,
                "found": each.found,
                "problem": each.problem or None,
                "tolerance": each.request.tolerance,
            }
            for each in wrong
        ],
    }


def _render_wrong(endpoint: str, count: int, wrong: Sequence[Wrong]) -> str:
    if not wrong:
        return f"{count} of {count} golden requests are answered as expected by {as_shown(endpoint)}"
    rows = [row for each in wrong for row in _list_rows(each)]
    table = render_table(["request", "where", "expected", "found", "tolerance"], rows)
    return f"{table}\n\n{len(wrong)} of {count} golden requests are not answered as expected by {as_shown(endpoint)}"


def _list_rows(wrong: Wrong) -> Iterator[list[str]]:
    request = wrong.request
    tolerance = f"{request.tolerance:g}"
    if wrong.problem:
        yield [request.id, "", "a prediction", wrong.problem, ""]
        return
    found = list(list_differences(read_expected(request), wrong.found, request.tolerance))
    for each in found[:_MOST_DIFFERENCES]:
        yield [request.id, *map(_show, (each.where, each.expected, each.found)), tolerance]
    if len(found) > _MOST_DIFFERENCES:
        yield [request.id, f"and {len(found) - _MOST_DIFFERENCES} more", "", "", ""]


def _show(text: str) -> str:
    shown = as_shown(text)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"
