"""`headrace lst`: lists of which image is of which class."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import click

from headrace.cli.divisions import RATIO, report_alone, seed_option, with_parts
from headrace.cli.folders import FOLDER, also_option, report_left_out
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_FILE, OUTPUT_FILE, report
from headrace.cli.progress import step
from headrace.cli.tables import render_table
from headrace.lst import (
    Change,
    Key,
    ListDiff,
    ListKind,
    add_rows,
    check_list,
    diff_lists,
    find_s3_images,
    merge_lists,
    read_mapping,
    relabel_classes,
    remove_rows,
    replace_rows,
    sample_classes,
    split_list,
)
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO
from headrace.lst.making import Finder, Naming, find_classes, find_images, name_folders
from headrace.lst.rows import read_lines
from headrace.lst.streaming import write_made_lists
from headrace.s3.addresses import SCHEME

SHOWN_ROWS = 20

output_option = click.option("-o", "--output", type=OUTPUT_FILE, required=True, help="The new list.")
kind_option = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ListKind]),
    callback=lambda _context, _option, value: value and ListKind(value),
    help="What the labels are.  [default: boxes or numbers if rows look like these, else a class]",
)


@click.group()
def lst() -> None:
    """Make, check, compare and edit lists (.lst): which image is of which class.

    Exit codes: 0 done, 1 problems found or a list that cannot be used, 2 wrong usage. Outputs appear
    whole or not at all.
    """


@lst.command("make")
@click.argument("source")
@click.option("--train", type=OUTPUT_FILE, required=True, help="The training list.")
@click.option("--validation", type=OUTPUT_FILE, required=True, help="The list of held-out images.")
@click.option("--ratio", type=RATIO, default=DEFAULT_VALIDATION_RATIO, show_default=True, help="Share to hold out.")
@click.option(
    "--mapping", type=INPUT_FILE, help="CSV of path or first folder, and class.  [default: folders are classes]"
)
@also_option
@JSON_OPTION
def make_command(
    *,
    source: str,
    train: Path,
    validation: Path,
    ratio: float,
    mapping: Path | None,
    also: Sequence[str],
    as_json: bool,
) -> None:
    """Make lists of a folder or an S3 prefix (SOURCE) and print the classes in the order of their numbers.

    Order and parts come from a hash of each path: one image more moves no other. Files that are left out
    are counted on stderr.

    Example: headrace lst make images/ --train train.lst --validation validation.lst
    """
    with step(f"make lists of {source}"):
        naming = Naming(read_mapping(mapping)) if mapping else None
        finder = Finder.with_more(also)
        if source.startswith(SCHEME):
            import boto3

            paths: Iterator[str] = find_s3_images(source, boto3.client("s3"), finder)
        else:
            paths = find_images(Path(source), find_classes(Path(source)), finder)
        classes = write_made_lists(paths, naming or name_folders, train, validation, ratio=ratio)
    report_left_out(source, finder)
    if naming and naming.unused:
        click.echo(f"{mapping}: {len(naming.unused)} rows name no image, such as {next(iter(naming.unused))}", err=True)
    report(json.dumps({"classes": classes}) if as_json else "\n".join(classes), train, validation)


@lst.command("check")
@click.argument("path", type=INPUT_FILE)
@click.option("--folder", type=FOLDER, help="The folder of the images; each image must exist.")
@click.option("--multi-label", is_flag=True, help="The list has several label columns.")
@kind_option
@JSON_OPTION
def check_command(*, path: Path, folder: Path | None, multi_label: bool, kind: ListKind | None, as_json: bool) -> None:
    """Find everything that training would refuse. The exit code is 1 if there are problems.

    Example: headrace lst check train.lst --folder images/
    """
    with step(f"check {path}"):
        problems = check_list(path, folder, several_labels=multi_label, kind=kind)
    if as_json:
        click.echo(json.dumps([asdict(problem) for problem in problems]))
    else:
        for problem in problems:
            click.echo(f"{path}, {problem}" if problem.line else f"{path}: {problem}")
    if problems:
        raise click.exceptions.Exit(1)


@lst.command("diff")
@click.argument("before", type=INPUT_FILE)
@click.argument("after", type=INPUT_FILE)
@click.option(
    "--only", "only", type=click.Choice([change.value for change in Change]), multiple=True, help="Only these changes."
)
@click.option("--rows", type=click.IntRange(min=0), default=SHOWN_ROWS, show_default=True, help="Rows to show.")
@click.option("-o", "--output", type=OUTPUT_FILE, help="Write the changed rows as a list.")
@kind_option
@JSON_OPTION
def diff_command(
    *,
    before: Path,
    after: Path,
    only: Sequence[str],
    rows: int,
    output: Path | None,
    kind: ListKind | None,
    as_json: bool,
) -> None:
    """Show which rows were added, removed, relabelled, moved or renumbered, per class and in detail.

    With --json, all rows in detail. A list (-o) holds the rows as they are now, those that were
    removed only with --only removed.

    Example: headrace lst diff monday.lst friday.lst --only added --only relabelled -o news.lst
    """
    changes = tuple(Change(name) for name in only) or tuple(Change)
    with ExitStack() as block:
        with step(f"compare {before} and {after}"):
            diff = block.enter_context(diff_lists(before, after, kind=kind))
        if output:
            diff.write_lst(output, tuple(Change(name) for name in only) or tuple(set(Change) - {Change.REMOVED}))
        if as_json:
            write_json(diff, changes, output)
        else:
            report(render_diff(diff, changes, rows), output)


def write_json(diff: ListDiff, changes: Sequence[Change], output: Path | None) -> None:
    """Print a comparison as one JSON object, row by row: there may be millions."""
    counts = {change: count for change, count in diff.count().items() if change in changes}
    classes = [asdict(change) for change in diff.count_by_class() if change.change in changes]
    report(f'{{"counts": {json.dumps(counts)},\n"classes": {json.dumps(classes)},\n"rows": [', output)
    last = None
    for row in diff.read_rows(changes):
        if last:
            report(f"{last},", output)
        last = json.dumps(asdict(row), ensure_ascii=False)
    report(f"{last or ''}]}}", output)


def render_diff(diff: ListDiff, changes: Sequence[Change], most_rows: int) -> str:
    """A comparison for people: counts, then per class, then the first rows of each change."""
    counts = [(change, str(count)) for change, count in diff.count().items() if change in changes]
    sections = [render_table(("change", "rows"), counts, numbers={1})]
    classes = [
        (change.change, change.label_before or "", change.label_after or "", str(change.rows))
        for change in diff.count_by_class()
        if change.change in changes
    ]
    if classes:
        sections.append(render_table(("change", "before", "after", "rows"), classes, numbers={1, 2, 3}))
    detail = [
        (row.change, row.label_before or "", row.label_after or "", _render_paths(row.path_before, row.path_after))
        for row in islice(diff.read_rows(changes), most_rows)
    ]
    if detail:
        sections.append(render_table(("change", "before", "after", "path"), detail, numbers={1, 2}))
    return "\n\n".join(sections)


def _render_paths(before: str | None, after: str | None) -> str:
    return f"{before} → {after}" if before and after and before != after else after or before or ""


@lst.command("split")
@click.argument("path", type=INPUT_FILE)
@with_parts
@click.option(
    "--group-by", metavar="REGEX", help="Keep images together if the regex matches the same text in their paths."
)
@click.option("--stratified", is_flag=True, help="Keep the ratio in every class, as nearly as possible.")
@kind_option
def split_command(*, path: Path, group_by: str | None, stratified: bool, kind: ListKind | None, **parts: Any) -> None:
    """Divide a list into training and validation rows, and optionally rows for a final test.

    Example: headrace lst split all.lst --train train.lst --validation validation.lst --group-by 'patient[0-9]+'
    """
    with step(f"divide {path}"):
        division = split_list(path, group_by=group_by, stratified=stratified, kind=kind, **parts)
    report_alone(path, division.ungrouped, f"have no group of {group_by!r}; each of them forms its own group")


@lst.command("sample")
@click.argument("path", type=INPUT_FILE)
@click.option("--per-class", type=click.IntRange(min=1), required=True, help="Rows of each class to keep.")
@seed_option("The seed of the choice; another one chooses other rows.")
@output_option
def sample_command(*, path: Path, per_class: int, seed: int, output: Path) -> None:
    """Keep a number of rows of each class, chosen by a hash of each path; classes with fewer rows are reported.

    Example: headrace lst sample all.lst --per-class 100 -o small.lst
    """
    with step(f"sample {path}"):
        fewer = sample_classes(path, output, per_class, seed=seed)
    for label, count in fewer.items():
        click.echo(f"{path}: class {label} has only {count} rows; all of them are kept", err=True)


@lst.command("merge")
@click.argument("paths", type=INPUT_FILE, nargs=-1, required=True)
@output_option
@click.option("--renumber", is_flag=True, help="Make each index the hash of its path.")
@kind_option
def merge_command(*, paths: Sequence[Path], output: Path, renumber: bool, kind: ListKind | None) -> None:
    """Concatenate lists; a row that is in several of them is kept once.

    Example: headrace lst merge ours.lst theirs.lst -o all.lst --renumber
    """
    with step("merge lists"):
        merge_lists(paths, output, renumber=renumber, kind=kind)


@lst.command("relabel")
@click.argument("path", type=INPUT_FILE)
@click.argument("classes", nargs=-1, required=True, metavar="OLD=NEW...")
@click.option("--where", metavar="REGEX", help="Only images whose path matches; this splits a class in two.")
@output_option
def relabel_command(*, path: Path, classes: Sequence[str], where: str | None, output: Path) -> None:
    """Change class numbers; classes that get the same number are merged.

    Example: headrace lst relabel all.lst 3=2 4=3 -o merged.lst
    """
    with step(f"relabel {path}"):
        relabel_classes(path, output, parse_classes(classes), where=where)


def parse_classes(texts: Sequence[str]) -> dict[int, int]:
    """The new number of each class, from OLD=NEW."""
    mapping = {}
    for text in texts:
        old, _, new = text.partition("=")
        if not (old.isdecimal() and new.isdecimal()):
            raise click.BadParameter(f"{text!r} is not OLD=NEW, two class numbers", param_hint="OLD=NEW")
        if int(old) in mapping:
            raise click.BadParameter(f"class {old} occurs twice", param_hint="OLD=NEW")
        mapping[int(old)] = int(new)
    return mapping


@lst.command("add")
@click.argument("path", type=INPUT_FILE)
@click.argument("additions", type=INPUT_FILE)
@output_option
@kind_option
def add_command(*, path: Path, additions: Path, output: Path, kind: ListKind | None) -> None:
    """Append the rows of another list to those of a list.

    Example: headrace lst add train.lst new.lst -o train.lst
    """
    with step(f"add rows to {path}"):
        add_rows(path, additions, output, kind=kind)


@lst.command("remove")
@click.argument("path", type=INPUT_FILE)
@click.argument("paths", nargs=-1, metavar="[IMAGE]...")
@click.option("--from", "file", type=INPUT_FILE, help="A file of images, one path per line; - for stdin.")
@output_option
@kind_option
def remove_command(*, path: Path, paths: Sequence[str], file: Path | None, output: Path, kind: ListKind | None) -> None:
    """Remove the rows of images that are named as arguments or in a file.

    Example: headrace lst remove train.lst cat/blurred.jpg -o train.lst
    """
    with step(f"remove rows from {path}"):
        named = [*paths, *(line for _, line in read_lines(file))] if file else paths
        if not named:
            raise click.UsageError("name the images to remove, or a file of them (--from)")
        remove_rows(path, named, output, kind=kind)


@lst.command("replace")
@click.argument("path", type=INPUT_FILE)
@click.argument("replacements", type=INPUT_FILE)
@click.option(
    "--by",
    type=click.Choice([key.value for key in Key]),
    default=Key.PATH.value,
    show_default=True,
    help="What rows share.",
)
@output_option
@kind_option
def replace_command(*, path: Path, replacements: Path, by: str, output: Path, kind: ListKind | None) -> None:
    """Replace rows with those of another list that have the same path or index.

    Example: headrace lst replace train.lst corrections.lst -o train.lst
    """
    with step(f"replace rows of {path}"):
        replace_rows(path, replacements, output, key=Key(by), kind=kind)
