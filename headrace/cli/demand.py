"""`headrace demand`: files of daily demand, and forecasts of it."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE
from headrace.cli.progress import step


@click.group()
def demand() -> None:
    """Check files of daily demand, and draw forecasts of it.

    Exit codes: 0 done, 1 problems found or a file that cannot be used, 2 wrong usage. Outputs appear whole or not at
    all.
    """


@demand.command("check")
@click.argument("path", type=INPUT_FILE)
@JSON_OPTION
def check_command(*, path: Path, as_json: bool) -> None:
    """Find everything that forecasting would refuse: gaps, doubled days, negative sales, other rhythms than days.

    PATH is a CSV file with the columns date, store, item and sales. The exit code is 1 if there are problems.

    Example: headrace demand check demand.csv
    """
    from headrace.demand import find_mistakes

    with step(f"check {path}"):
        mistakes = find_mistakes(path)
    if as_json:
        click.echo(json.dumps([asdict(mistake) for mistake in mistakes]))
    else:
        for mistake in mistakes:
            click.echo(f"{path}, line {mistake.line}: {mistake.text}")
    if mistakes:
        raise click.exceptions.Exit(1)


@demand.command("draw")
@click.argument("evaluation", type=INPUT_FILE)
@click.option("-o", "--output", type=OUTPUT_FILE, required=True, help="The chart, an SVG file.")
@click.option("--title", default="Forecasts of held-out days", show_default=True, help="What the chart is called.")
def draw_command(*, evaluation: Path, output: Path, title: str) -> None:
    """Draw a few forecasts of the held-out days with their quantiles, beside what was sold.

    EVALUATION is the evaluation.json that the training job leaves in its output.

    Example: headrace demand draw evaluation.json -o forecast.svg
    """
    from headrace.demand.drawing import draw_forecasts, read_shown
    from headrace.files import whole_file
    from headrace.inputs import read_document

    chart = draw_forecasts(read_shown(read_document(evaluation), str(evaluation)), title)
    with whole_file(output) as partial:
        partial.write_text(chart, encoding="utf-8", newline="\n")
