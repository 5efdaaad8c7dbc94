"""`headrace manifest`: images or texts and their labels, a JSON line each."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from headrace.cli.divisions import report_alone, with_parts
from headrace.cli.folders import FOLDER, also_option, report_left_out
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE, report
from headrace.cli.progress import step
from headrace.cli.tables import render_table
from headrace.files import refuse_overwriting
from headrace.lst import read_lst, read_mapping
from headrace.lst.making import Finder
from headrace.manifest import (
    BadBoxes,
    Selection,
    Task,
    check_manifest,
    convert_coco,
    convert_folders,
    convert_list,
    convert_to_coco,
    convert_to_list,
    count_manifest,
    draw_statistics,
    expand_manifest,
    filter_manifest,
    merge_manifests,
    read_manifest,
    split_manifest,
)
from headrace.manifest.conversion import BOX_ATTRIBUTE, CLASS_ATTRIBUTE

Command = TypeVar("Command", bound=Callable[..., Any])

output_option = click.option("-o", "--output", type=OUTPUT_FILE, required=True, help="The file for the result.")
prefix_option = click.option("--prefix", required=True, help="The s3://bucket/prefix/ that contains the paths.")
class_option = click.option("--attribute", default=CLASS_ATTRIBUTE, show_default=True, help="The label's name.")
box_option = click.option("--attribute", default=BOX_ATTRIBUTE, show_default=True, help="The boxes' name.")


@click.group()
def manifest() -> None:
    """Check, divide, count and convert manifests of labelled data.

    Exit codes: 0 done, 1 problems found or a manifest that cannot be used, 2 wrong usage. Outputs
    appear whole or not at all.
    """


@manifest.command("check")
@click.argument("path", type=INPUT_FILE)
@click.option("--attribute", "attributes", multiple=True, help="The channel's attribute names, in its order.")
@click.option(
    "--task",
    type=click.Choice([task.value for task in Task]),
    help="The task to train for.  [default: as the metadata says]",
)
@click.option("--objects", is_flag=True, help="Ask S3 whether each object exists.")
@JSON_OPTION
def check_command(*, path: Path, attributes: Sequence[str], task: str | None, objects: bool, as_json: bool) -> None:
    """Find everything that training would refuse. The exit code is 1 if there are problems.

    With --json, one JSON object per problem and line, as they are found. Labels of a kind that is not
    known here are passed, and counted on stderr.

    Example: headrace manifest check train.manifest --attribute source-ref --attribute class
    """
    client = None
    if objects:
        import boto3

        client = boto3.client("s3")
    found = False
    unjudged = Counter[str]()
    problems = check_manifest(
        path,
        attribute_names=attributes,
        task=Task(task) if task else None,
        client=client,
        unjudged=unjudged,
    )
    for problem in problems:
        found = True
        text = f"{path}, {problem}" if problem.line else f"{path}: {problem}"
        click.echo(json.dumps(asdict(problem), ensure_ascii=False) if as_json else text)
    for name, count in unjudged.items():
        click.echo(f"{path}: not judged: {count} of {name}", err=True)
    if found:
        raise click.exceptions.Exit(1)


@manifest.command("split")
@click.argument("path", type=INPUT_FILE)
@with_parts
@click.option(
    "--group-by", metavar="REGEX", help="Keep lines together if the regex matches the same text in their sources."
)
@click.option("--stratify-by", metavar="ATTRIBUTE", help="Keep the ratio in each of its values, as nearly as possible.")
def split_command(*, path: Path, group_by: str | None, stratify_by: str | None, **parts: Any) -> None:
    """Divide a manifest into training and validation lines, and optionally lines for a final test.

    Example: headrace manifest split all.manifest --train train.manifest --validation held-out.manifest
    """
    with step(f"divide {path}"):
        division = split_manifest(path, group_by=group_by, stratify_by=stratify_by, **parts)
    report_alone(path, division.ungrouped, f"have no group of {group_by!r}; each of them forms its own group")
    report_alone(path, division.unlabelled, f"have no {stratify_by}; they form their own stratum")


@manifest.command("merge")
@click.argument("paths", type=INPUT_FILE, nargs=-1, required=True)
@output_option
def merge_command(*, paths: Sequence[Path], output: Path) -> None:
    """Concatenate manifests; a line that is in several of them is kept once.

    Example: headrace manifest merge monday.manifest friday.manifest -o all.manifest
    """
    with step("merge manifests"):
        merge_manifests(paths, output)


@manifest.command("filter")
@click.argument("path", type=INPUT_FILE)
@output_option
@click.option("--attribute", help="The label's name.  [default: the newest label of each line]")
@click.option("--label", "labels", multiple=True, help="A class name or number to keep; may be repeated.")
@click.option("--source", metavar="REGEX", help="Keep lines whose source matches this.")
@click.option(
    "--least-confidence", type=click.FloatRange(0, 1), help="Keep lines whose confidences are all at least this."
)
@click.option("--labelled", is_flag=True, help="Keep lines whose labelling did not fail.")
@JSON_OPTION
def filter_command(
    *,
    path: Path,
    output: Path,
    attribute: str | None,
    labels: Sequence[str],
    source: str | None,
    least_confidence: float | None,
    labelled: bool,
    as_json: bool,
) -> None:
    """Keep the lines that match all the options and print their number.

    Example: headrace manifest filter all.manifest --labelled --least-confidence 0.8 -o sure.manifest
    """
    with step(f"filter {path}"):
        selection = Selection(
            attribute=attribute,
            labels=frozenset(labels),
            source=source,
            least_confidence=least_confidence,
            labelled=labelled,
        )
        kept = filter_manifest(path, output, selection)
    report(json.dumps({"kept": kept}) if as_json else kept, output)


@manifest.command("stats")
@click.argument("path", type=INPUT_FILE)
@click.option("--attribute", help="The label's name.  [default: the newest label of each line]")
@click.option("--chart", type=OUTPUT_FILE, help="Draw the distributions into this SVG.")
@JSON_OPTION
def stats_command(*, path: Path, attribute: str | None, chart: Path | None, as_json: bool) -> None:
    """Count labels and boxes, and draw their distributions.

    Example: headrace manifest stats train.manifest --chart labels.svg
    """
    with step(f"count {path}"):
        statistics = count_manifest(path, attribute)
        if chart:
            refuse_overwriting(chart, path)
            draw_statistics(statistics, chart, path.name)
    if attribute is None and len(statistics.attributes) > 1:
        told = ", ".join(f"{name} on {count}" for name, count in statistics.attributes.items())
        click.echo(f"{path}: lines were counted by the newest label of each: {told}; --attribute names one", err=True)
    for name, count in statistics.unjudged.items():
        click.echo(f"{path}: not counted: {count} labels of {name}, whose classes are not in the manifest", err=True)
    if as_json:
        report(json.dumps(vars(statistics), ensure_ascii=False), chart)
        return
    rows = [("rows", statistics.rows), ("unlabelled", statistics.unlabelled), ("failed", statistics.failed)]
    labels = sorted(statistics.labels.items(), key=lambda item: (-item[1], item[0]))
    report(render_table(("", "count"), [(name, str(count)) for name, count in rows], numbers={1}), chart)
    report("", chart)
    report(render_table(("label", "count"), [(name, str(count)) for name, count in labels], numbers={1}), chart)


@manifest.command("draw")
@click.argument("path", type=INPUT_FILE)
@click.argument("photograph", type=INPUT_FILE)
@box_option
@click.option("--found", type=INPUT_FILE, help="What an endpoint of object detection answered to the photograph.")
@click.option("--least-score", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="Of boxes found.")
@output_option
def draw_command(
    *, path: Path, photograph: Path, attribute: str, found: Path | None, least_score: float, output: Path
) -> None:
    """Draw a photograph with its boxes and those that a detector has found, as SVG.

    PATH is the manifest, and PHOTOGRAPH a file that one of its lines is about; folders tell files of one name apart.

    Example: headrace manifest draw held-out.manifest street/1.jpg --found answer.json -o boxes.svg
    """
    from headrace.files import whole_file
    from headrace.inputs import read_document
    from headrace.manifest.box_pictures import draw_boxes, find_record

    refuse_overwriting(output, path, photograph, *([found] if found else []))
    record = find_record(read_manifest(path), photograph)
    answer = read_document(found) if found else None
    picture = draw_boxes(read_document(photograph), record, attribute, answer, least_score)
    with whole_file(output) as partial:
        partial.write_text(picture, encoding="utf-8", newline="\n")


@manifest.group("convert")
def convert() -> None:
    """Convert other descriptions of data into manifests, and back."""


def _with_places(attribute_option: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a conversion its file, the prefix that paths are below, its output and the label's name."""

    def give(command: Command) -> Command:
        for option in (attribute_option, output_option, prefix_option, click.argument("path", type=INPUT_FILE)):
            command = option(command)
        return command

    return give


def _convert(conversion: Callable[..., None], *, path: Path, **places: Any) -> None:
    with step(f"convert {path}"):
        conversion(path, **places)


@convert.command("traditional")
@click.argument("path", type=INPUT_FILE)
@output_option
@class_option
@click.option("--labels", type=INPUT_FILE, help="Classes of the keys: a .lst, or a CSV of key and class name.")
def traditional_command(*, path: Path, output: Path, attribute: str, labels: Path | None) -> None:
    """Expand a manifest of a prefix and keys into an augmented one, with labels where given.

    Example: headrace manifest convert traditional images.json --labels train.lst -o train.manifest
    """
    with step(f"convert {path}"):
        expand_manifest(path, output, read_labels(labels) if labels else None, attribute)


def read_labels(path: Path) -> dict[str, int]:
    """The class number of each path, of a list or of a CSV of class names."""
    if path.suffix == ".lst":
        return {row.path: row.label for row in read_lst(path)}
    names = read_mapping(path)
    numbers = {name: number for number, name in enumerate(sorted(set(names.values())))}
    return {key: numbers[name] for key, name in names.items()}


@convert.command("list")
@_with_places(class_option)
def list_command(**places: Any) -> None:
    """Turn a list into a manifest.

    Example: headrace manifest convert list train.lst --prefix s3://raw/images/ -o train.manifest
    """
    _convert(convert_list, **places)


@convert.command("to-list")
@_with_places(class_option)
def to_list_command(**places: Any) -> None:
    """Turn a manifest of classes or boxes into a list.

    Example: headrace manifest convert to-list train.manifest --prefix s3://raw/images/ -o train.lst
    """
    _convert(convert_to_list, **places)


@convert.command("folders")
@click.argument("folder", type=FOLDER)
@prefix_option
@output_option
@class_option
@also_option
@JSON_OPTION
def folders_command(
    *, folder: Path, prefix: str, output: Path, attribute: str, also: Sequence[str], as_json: bool
) -> None:
    """Turn a folder with one sub-folder per class into a manifest and print the classes.

    Files that are left out are counted on stderr.

    Example: headrace manifest convert folders images/ --prefix s3://raw/images/ -o train.manifest
    """
    with step(f"convert {folder}"):
        finder = Finder.with_more(also)
        classes = convert_folders(folder, prefix, output, attribute, finder=finder)
    report_left_out(folder, finder)
    report(json.dumps({"classes": classes}) if as_json else "\n".join(classes), output)


@convert.command("coco")
@_with_places(box_option)
@click.option(
    "--bad-boxes",
    type=click.Choice([way.value for way in BadBoxes]),
    default=BadBoxes.REFUSE.value,
    show_default=True,
    help="What to do with boxes that are empty, missing or outside the image.",
)
def coco_command(*, path: Path, prefix: str, output: Path, attribute: str, bad_boxes: str) -> None:
    """Turn the boxes of COCO's instances into a manifest, and count on stderr what is left out.

    Skipping leaves bad boxes out; clipping cuts those that reach outside to their image and leaves out
    those of which nothing is left.

    Example: headrace manifest convert coco instances.json --prefix s3://raw/street/ -o train.manifest
    """
    with step(f"convert {path}"):
        done = convert_coco(path, prefix, output, attribute, bad_boxes=BadBoxes(bad_boxes))
    left_out = {"crowds left out": done.crowds, "bad boxes left out": done.skipped, "boxes clipped": done.clipped}
    told = [f"{count} {text}" for text, count in left_out.items() if count]
    if told:
        click.echo(f"{path}: {done.boxes} boxes of {done.images} images; {', '.join(told)}", err=True)


@convert.command("to-coco")
@_with_places(box_option)
def to_coco_command(**places: Any) -> None:
    """Turn a manifest of boxes into COCO's instances.

    Example: headrace manifest convert to-coco train.manifest --prefix s3://raw/street/ -o instances.json
    """
    _convert(convert_to_coco, **places)
