"""`headrace recordio`: tables and images as RecordIO."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from headrace.cli.mistakes import clear_errors
from headrace.cli.progress import step
from headrace.cli.tables import render_table
from headrace.extras import explain_missing

# Named here and not taken from headrace.recordio, whose numpy takes long to load and only these commands need.
TYPES = ("float32", "float64", "int32")
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

json_option = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@contextmanager
def _explaining_errors() -> Iterator[None]:
    """Turn what is wrong with files into a message and exit code 1."""
    try:
        import headrace.recordio  # noqa: F401 (to find what it needs)
    except ModuleNotFoundError as error:
        raise click.ClickException(explain_missing(str(error.name), "recordio")) from error
    with clear_errors():
        yield


@click.group()
def recordio() -> None:
    """Write, read and check RecordIO, the format of SageMaker's built-in algorithms.

    Exit codes: 0 done, 1 a file is wrong or missing, 2 a wrong option, 130 Ctrl-C. Files appear
    whole or not at all.
    """


@recordio.command("write")
@click.argument("csv", type=FILE)
@click.argument("output", type=FILE)
@click.option("--type", "type_name", type=click.Choice(TYPES), default="float32", show_default=True, help="Of numbers.")
@click.option("--no-labels", is_flag=True, help="The first column is a feature, not the label.")
@json_option
def write_command(*, csv: Path, output: Path, type_name: str, no_labels: bool, as_json: bool) -> None:
    """Write RecordIO-protobuf from a CSV of numbers without a header, the label first.

    The linear learner wants float32.

    Example: headrace recordio write train.csv train.pbr
    """
    with _explaining_errors(), step(f"writing {output}"):
        from headrace.recordio import TensorType, write_batches
        from headrace.recordio.csv_rows import read_csv

        rows = write_batches(output, read_csv(csv, TensorType[type_name.upper()], labelled=not no_labels))
    _report({"output": str(output), "rows": rows}, as_json=as_json)


@recordio.command("read")
@click.argument("file", type=FILE)
@click.option("--rows", type=click.IntRange(min=1), help="Only so many of the first rows.")
@click.option("--json", "as_json", is_flag=True, help="Print each row as a line of JSON; sparse ones stay sparse.")
def read_command(*, file: Path, rows: int | None, as_json: bool) -> None:
    """Print RecordIO-protobuf as CSV, the label first.

    Example: headrace recordio read train.pbr --rows 5
    """
    with _explaining_errors():
        from itertools import chain, islice

        from headrace.recordio import read_batches
        from headrace.recordio.csv_rows import render_csv, render_json

        render = render_json if as_json else render_csv
        for line in islice(chain.from_iterable(map(render, read_batches(file))), rows):
            click.echo(line)


@recordio.command("info")
@click.argument("file", type=FILE)
@json_option
def info_command(*, file: Path, as_json: bool) -> None:
    """Check every record of a RecordIO-protobuf file and say what is in it.

    Example: headrace recordio info train.pbr
    """
    with _explaining_errors(), step(f"reading {file}"):
        from headrace.recordio.summaries import summarize_rows

        summary = summarize_rows(file)
    schema = summary.schema
    facts = {
        "rows": summary.rows,
        "features": schema.width,
        "kind": "sparse" if schema.sparse else "dense",
        "type": str(schema.type),
        "label_type": str(schema.labels) if schema.labels else None,
        "lowest_label": summary.lowest_label,
        "highest_label": summary.highest_label,
    }
    _report(facts, as_json=as_json)


@recordio.group()
def images() -> None:
    """Write, read and check .rec files of images, as MXNet's im2rec makes them."""


@images.command("write")
@click.argument("lst", type=FILE)
@click.argument("folder", type=FOLDER)
@click.argument("output", type=FILE)
@json_option
def write_images_command(*, lst: Path, folder: Path, output: Path, as_json: bool) -> None:
    """Write a .rec file, and its .idx beside it, of the images of a list.

    The paths of the list are below FOLDER. The images are stored as they are.

    Example: headrace recordio images write train.lst images train.rec
    """
    with _explaining_errors(), step(f"writing {output}"):
        from headrace.lst import read_multi_label_lst
        from headrace.recordio.images import load_images, write_images

        count = write_images(output, load_images(read_multi_label_lst(lst), folder))
    _report({"output": str(output), "index": str(output.with_suffix(".idx")), "images": count}, as_json=as_json)


@images.command("read")
@click.argument("file", type=FILE)
@click.argument("folder", type=FOLDER)
@json_option
def read_images_command(*, file: Path, folder: Path, as_json: bool) -> None:
    """Write the images of a .rec file and their list into a new folder.

    Example: headrace recordio images read train.rec images
    """
    with _explaining_errors(), step(f"reading {file}"):
        from headrace.recordio.images import unpack_images

        count = unpack_images(file, folder)
    _report({"folder": str(folder), "images": count}, as_json=as_json)


@images.command("info")
@click.argument("file", type=FILE)
@json_option
def image_info_command(*, file: Path, as_json: bool) -> None:
    """Check every record of a .rec file and count its images by class.

    Example: headrace recordio images info train.rec
    """
    with _explaining_errors(), step(f"reading {file}"):
        from headrace.recordio.summaries import summarize_images

        summary = summarize_images(file)
    counts = [{"labels": list(labels), "images": count} for labels, count in summary.classes.items()]
    if as_json:
        click.echo(json.dumps({"images": summary.images, "bytes": summary.image_bytes, "classes": counts}, indent=2))
        return
    _report({"images": summary.images, "bytes": summary.image_bytes}, as_json=False)
    rows = [(" ".join(f"{label:g}" for label in labels), str(count)) for labels, count in summary.classes.items()]
    click.echo("\n" + render_table(("label", "images"), rows, numbers={0, 1}))


def _report(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done or found."""
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' ')}\t{'-' if value is None else value}")
