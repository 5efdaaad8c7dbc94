"""`headrace recordio`: tables and images as RecordIO."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import OUTPUT_FILE, InputFile, report
from headrace.cli.progress import step
from headrace.cli.tables import render_table
from headrace.files import refuse_overwriting

# Named here and not taken from headrace.recordio, whose numpy takes long to load and only these commands need.
TYPES = ("float32", "float64", "int32")
# A missing file is reported by what reads it, as a damaged one is.
FILE = InputFile(exists=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def recordio() -> None:
    """Write, read and check RecordIO, the format of SageMaker's built-in algorithms.

    Exit codes: 0 done, 1 a file is wrong or missing, 2 a wrong option, 130 Ctrl-C. Files appear
    whole or not at all.
    """


@recordio.command("write")
@click.argument("csv", type=FILE)
@click.argument("output", type=OUTPUT_FILE)
@click.option(
    "--type", "type_name", type=click.Choice(TYPES), default="float32", show_default=True, help="The numbers' type."
)
@click.option("--no-labels", is_flag=True, help="The first column is a feature, not the label.")
@JSON_OPTION
def write_command(*, csv: Path, output: Path, type_name: str, no_labels: bool, as_json: bool) -> None:
    """Write RecordIO-protobuf from a CSV of numbers without a header, the label first.

    The linear learner wants float32.

    Example: headrace recordio write train.csv train.pbr
    """
    with step(f"writing {output}"):
        from headrace.recordio import TensorType, write_batches
        from headrace.recordio.csv_rows import read_csv
        from headrace.recordio.summaries import FiniteWatch

        refuse_overwriting(output, csv)
        watch = FiniteWatch()
        batches = read_csv(csv, TensorType[type_name.upper()], labelled=not no_labels)
        rows = write_batches(output, watch.watch(batches))
    if watch.first is not None:
        click.echo(_warn_not_finite(csv, watch.count, watch.first, labelled=not no_labels), err=True)
    _report({"output": str(output), "rows": rows}, output, as_json=as_json)


def _warn_not_finite(csv: Path, count: int, first: tuple[int, int | None], *, labelled: bool) -> str:
    """Where the CSV has what is NaN or infinite: XGBoost takes NaN for missing, other algorithms fail on it."""
    row, column = first
    place = f"{csv}, line {row + 1}, column {1 if column is None else column + 1 + labelled}"
    return f"{place}: not a finite number, the first of {count}; only XGBoost takes NaN, for a missing value"


@recordio.command("read")
@click.argument("file", type=FILE)
@click.option("--rows", type=click.IntRange(min=1), help="Print only this many rows from the start.")
@click.option("--json", "as_json", is_flag=True, help="Print each row as a line of JSON; sparse rows stay sparse.")
def read_command(*, file: Path, rows: int | None, as_json: bool) -> None:
    """Print RecordIO-protobuf as CSV, the label first.

    Example: headrace recordio read train.pbr --rows 5
    """
    from itertools import chain, islice

    from headrace.recordio import read_batches
    from headrace.recordio.csv_rows import render_csv, render_json

    render = render_json if as_json else render_csv
    for line in islice(chain.from_iterable(map(render, read_batches(file))), rows):
        click.echo(line)


@recordio.command("info")
@click.argument("file", type=FILE)
@JSON_OPTION
def info_command(*, file: Path, as_json: bool) -> None:
    """Check every record of a RecordIO-protobuf file and say what is in it.

    Example: headrace recordio info train.pbr
    """
    with step(f"reading {file}"):
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
    if summary.not_finite:
        facts |= {"not_finite": summary.not_finite, "first_not_finite": summary.first_not_finite}
    _report(facts, as_json=as_json)


@recordio.group()
def images() -> None:
    """Write, read and check .rec files of images, as MXNet's im2rec makes them."""


@images.command("write")
@click.argument("lst", type=FILE)
@click.argument("folder", type=FOLDER)
@click.argument("output", type=OUTPUT_FILE)
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be packed, and name each on stderr.")
@JSON_OPTION
def write_images_command(*, lst: Path, folder: Path, output: Path, skip_bad: bool, as_json: bool) -> None:
    """Write a .rec file, and its .idx beside it, of the images of a list.

    The paths of the list are below FOLDER. The images are stored as they are. If some cannot be
    packed, all of these are named and nothing is written; with --skip-bad the others are, and the exit
    code is 0 unless there are none.

    Example: headrace recordio images write train.lst images train.rec
    """
    with step(f"writing {output}"):
        from headrace.lst import read_any_lst
        from headrace.recordio.images import RefusedImage, load_images, write_images

        for file in (output, output.with_suffix(".idx")):
            refuse_overwriting(file, lst)
        refused: list[RefusedImage] = []
        images = load_images(read_any_lst(lst), folder, refused=refused.append if skip_bad else None)
        count = write_images(output, _require_one(lst, images, refused))
    for image in refused:
        click.echo(f"skipped {image}", err=True)
    facts = {"output": str(output), "index": str(output.with_suffix(".idx")), "images": count}
    _report({**facts, "skipped": len(refused)} if skip_bad else facts, as_json=as_json)


def _require_one(lst: Path, images: Iterator[Any], refused: Sequence[object]) -> Iterator[Any]:
    """Images, at least one where some are refused."""
    from headrace.recordio import RecordIOError

    first = next(images, None)
    if first is None and refused:
        raise RecordIOError("\n".join([f"{lst}: no image can be packed", *map(str, refused)]))
    yield from () if first is None else (first,)
    yield from images


@images.command("read")
@click.argument("file", type=FILE)
@click.argument("folder", type=FOLDER)
@JSON_OPTION
def read_images_command(*, file: Path, folder: Path, as_json: bool) -> None:
    """Write the images of a .rec file and their list into a new folder.

    Records with labels and no image are counted as headers and listed in FILE's .headers.tsv there.

    Example: headrace recordio images read train.rec images
    """
    with step(f"reading {file}"):
        from headrace.recordio.images import unpack_images

        headers: list[int] = []
        count = unpack_images(file, folder, header=lambda record: headers.append(record.image_index))
    facts = {"folder": str(folder), "images": count}
    _report({**facts, "headers": len(headers)} if headers else facts, as_json=as_json)


@images.command("info")
@click.argument("file", type=FILE)
@JSON_OPTION
def image_info_command(*, file: Path, as_json: bool) -> None:
    """Check every record of a .rec file and count its images by class.

    Example: headrace recordio images info train.rec
    """
    with step(f"reading {file}"):
        from headrace.recordio.summaries import summarize_images

        summary = summarize_images(file)
    counts = [{"labels": list(labels), "images": count} for labels, count in summary.classes.items()]
    facts: dict[str, Any] = {"images": summary.images, "bytes": summary.image_bytes}
    if summary.headers:
        facts["headers"] = summary.headers
    if as_json:
        click.echo(json.dumps({**facts, "classes": counts}, indent=2))
        return
    _report(facts, as_json=False)
    rows = [(" ".join(f"{label:g}" for label in labels), str(count)) for labels, count in summary.classes.items()]
    click.echo("\n" + render_table(("label", "images"), rows, numbers={0, 1}))


def _report(facts: dict[str, Any], output: Path | None = None, *, as_json: bool) -> None:
    """Print what was done or found."""
    lines = (f"{name.replace('_', ' ')}\t{'-' if value is None else value}" for name, value in facts.items())
    report(json.dumps(facts, indent=2) if as_json else "\n".join(lines), output)
