"""`headrace drift`: whether what an endpoint is asked still looks like what its model was trained on."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, INPUT_PLACE, OUTPUT_FILE, report
from headrace.cli.tables import render_table
from headrace.drift.checking import check_requests
from headrace.drift.comparison import DEFAULT_MIN_ROWS, DEFAULT_THRESHOLD
from headrace.drift.contract import Verdict
from headrace.drift.profiles import Profile, ProfileError, dump_profile, make_profile, read_profile
from headrace.drift.report import Check, render_page
from headrace.drift.truth import Quality
from headrace.errors import as_shown
from headrace.files import whole_file
from headrace.inputs import naming_text, open_input, open_regular, read_document, read_lines, read_text_lines
from headrace.wording import counted

_SUFFIX: Final = "*.jsonl"
_ENDS_BADLY: Final = 1


@click.group()
def drift() -> None:
    """Whether what an endpoint is asked still looks like what its model was trained on."""


@drift.command()
@click.argument("file", type=INPUT_FILE)
@click.option("--without", metavar="COLUMN", help="The column that the model predicts, which requests do not have.")
@click.option("-o", "--output", type=OUTPUT_FILE, default="-", help="Where to write it.  [default: standard output]")
def profile(*, file: Path, without: str | None, output: Path) -> None:
    """Write down what training data look like: the columns of a CSV file with a header, and the spread of each.

    Example: headrace drift profile Train.csv --without Item_Outlet_Sales -o profile.json
    """
    with progress.step(f"read {file}"):
        made = _profile(file, without)
    with whole_file(output) as partial:
        partial.write_text(dump_profile(made), encoding="utf-8")
    report(f"{len(made.columns)} columns of {made.rows} rows", output)


@drift.command()
@click.argument("profile", metavar="PROFILE", type=INPUT_FILE)
@click.argument("captured", nargs=-1, required=True, type=INPUT_PLACE)
@click.option(
    "--truth", multiple=True, type=INPUT_PLACE, help="What turned out to be true, as JSON Lines; once or more."
)
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_THRESHOLD,
    show_default=True,
    help="Above which population stability index a column has drifted.",
)
@click.option(
    "--min-rows",
    type=click.IntRange(min=1),
    default=DEFAULT_MIN_ROWS,
    show_default=True,
    help="Below how many rows nothing is said; a column of many bins needs more.",
)
@click.option("--page", type=OUTPUT_FILE, help="Write a page (HTML) with a chart of each column, too.")
@JSON_OPTION
def check(
    *,
    profile: Path,
    captured: Sequence[Path],
    truth: Sequence[Path],
    threshold: float,
    min_rows: int,
    page: Path | None,
    as_json: bool,
) -> None:
    """Compare what an endpoint was asked with the training data; exits with 1 if a column has drifted.

    PROFILE is what `headrace drift profile` wrote. CAPTURED are files of captured requests, or folders of them.

    Example: headrace drift check profile.json captured/ --page drift.html
    """
    with progress.step("compare"):
        done = check_requests(
            _read_profile(profile),
            _read_all(captured),
            _read_all(truth) if truth else None,
            threshold=threshold,
            min_rows=min_rows,
        )
    if page:
        with whole_file(page) as partial:
            partial.write_text(render_page(done), encoding="utf-8")
    report(json.dumps(done.render(), ensure_ascii=False, indent=2) if as_json else _render(done), page)
    if done.verdict is Verdict.DRIFTED:
        click.get_current_context().exit(_ENDS_BADLY)


def _profile(file: Path, without: str | None) -> Profile:
    with naming_text(file, ProfileError), open_input(file) as opened:
        rows = (row for row in csv.reader(read_text_lines(opened), strict=True) if row)
        try:
            return make_profile([name.strip() for name in next(rows, [])], rows, without=without)
        except (csv.Error, ProfileError) as error:
            raise ProfileError(f"{file}: {error}") from error


def _read_profile(file: Path) -> Profile:
    try:
        return read_profile(json.loads(read_document(file)))
    except ProfileError as error:
        raise ProfileError(f"{file}: {error}; make one with `headrace drift profile`") from error
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{file}: is not JSON: {error}") from error


def _read_all(places: Sequence[Path]) -> Iterator[bytes]:
    for place in places:
        if not place.is_dir():
            with open_input(place) as opened:
                yield from read_lines(opened)
            continue
        files = sorted(place.rglob(_SUFFIX))
        if not files:
            raise ProfileError(f"{place}: there is no {_SUFFIX} below it; name a folder of captured requests")
        for file in files:
            with open_regular(file) as opened:
                yield from read_lines(opened)


def _render(done: Check) -> str:
    rows = [
        (as_shown(change.column.name), f"{change.index:.3f}", str(sum(change.counts.values())), str(change.verdict))
        for change in done.changes
    ]
    table = render_table(("column", "index", "cells", "verdict"), rows, numbers={1, 2})
    notes = [
        f"{counted(count, 'line')} left out: {'each ' if count != 1 else ''}{as_shown(why)}"
        for why, count in done.unread.items()
    ]
    return "\n".join((table, "", done.summarize(), *_describe(done.quality), *notes))


def _describe(quality: Quality | None) -> list[str]:
    if quality is None:
        return []
    if quality.value is None:
        return [f"too few rows whose truth is known: {quality.pairs}"]
    return [f"{quality.measure} {quality.value:.4g} against the truth of {quality.pairs} rows"]
