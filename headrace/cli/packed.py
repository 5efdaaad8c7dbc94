"""`headrace packed`: packed sets, the pixels of normalized images for training on a GPU."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import InputFile
from headrace.cli.progress import step

if TYPE_CHECKING:
    from headrace.packed import Layout

# Named here and not taken from the normalizer, whose Pillow takes long to load and only one command needs.
COLOURS = ("grey", "rgb")
FITS = ("stretch", "contain", "cover")
# A missing file is reported by what reads it, as a damaged one is.
FILE = InputFile(exists=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def packed() -> None:
    """Write and check packed sets: pixels of normalized images, as a GPU is fed with them.

    Exit codes: 0 done, 1 a file is wrong or missing, 2 a wrong option, 130 Ctrl-C. A set appears
    whole or not at all.
    """


@packed.command("write")
@click.argument("lst", type=FILE)
@click.argument("folder", type=FOLDER)
@click.argument("output", type=FOLDER)
@click.option("--side", type=click.IntRange(1, 2048), default=256, show_default=True, help="Rows and columns.")
@click.option("--colour", type=click.Choice(COLOURS), default="rgb", show_default=True, help="Colours of the records.")
@click.option(
    "--fit",
    type=click.Choice(FITS),
    default="stretch",
    show_default=True,
    help="What happens to photographs of another shape.",
)
@click.option("--labels", type=FILE, help="A file that names the classes, one a line, class 0 first.")
@click.option("--skip-bad", is_flag=True, help="Leave out what cannot be packed, and name each on stderr.")
@JSON_OPTION
def write_command(
    *,
    lst: Path,
    folder: Path,
    output: Path,
    side: int,
    colour: str,
    fit: str,
    labels: Path | None,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Pack the photographs of a list, or their normalized images, into the new folder OUTPUT.

    The paths of the list are below FOLDER. What has the size and the colours already keeps its pixels;
    the rest is normalized. If some cannot be packed, all of these are named and nothing is written; with
    --skip-bad the others are, and the exit code is 0 unless there are none.

    Example: headrace packed write train.lst normalized packed/train --labels classes.txt
    """
    with step(f"writing {output}"):
        from headrace.cpus import count_cpus
        from headrace.lst import read_lst
        from headrace.normalizer.options import Colour, Fit, Options
        from headrace.packed import pack_list
        from headrace.packed.labels import read_labels
        from headrace.recordio.images import RefusedImage

        refused: list[RefusedImage] = []
        layout = pack_list(
            read_lst(lst),
            folder,
            output,
            options=Options(width=side, height=side, colour=Colour(colour), fit=Fit(fit)),
            labels=read_labels(labels) if labels else (),
            refused=refused.append if skip_bad else None,
            threads=count_cpus(),
        )
    for image in refused:
        click.echo(f"skipped {image}", err=True)
    facts = {"output": str(output), **_describe(layout)}
    _report({**facts, "skipped": len(refused)} if skip_bad else facts, as_json=as_json)


@packed.command("info")
@click.argument("folder", type=FOLDER)
@JSON_OPTION
def info_command(*, folder: Path, as_json: bool) -> None:
    """Check every byte of a packed set and count its records by class.

    Example: headrace packed info packed/train
    """
    with step(f"reading {folder}"):
        from headrace.packed import PackedSet

        with PackedSet(folder) as opened:
            opened.verify()
            layout = opened.layout
    classes = [
        {"class": number, **({"label": layout.labels[number]} if layout.labels else {}), "records": count}
        for number, count in enumerate(layout.classes)
    ]
    if as_json:
        click.echo(json.dumps({**_describe(layout), "classes": classes}, indent=2))
        return
    from headrace.cli.tables import render_table

    _report(_describe(layout), as_json=False)
    names = list(classes[0])
    rows = [tuple(str(entry[name]) for name in names) for entry in classes]
    click.echo("\n" + render_table(tuple(names), rows, numbers={0, len(names) - 1}))


def _describe(layout: "Layout") -> dict[str, Any]:
    return {
        "records": layout.records,
        "height": layout.height,
        "width": layout.width,
        "colours": layout.colours,
        "shards": len(layout.shards),
        "bytes": sum(shard.bytes for shard in layout.shards),
    }


def _report(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done or found."""
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(f"{key}\t{value}" for key, value in facts.items()))
