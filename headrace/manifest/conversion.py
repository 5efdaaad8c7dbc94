"""Augmented manifests made of other descriptions of data, and the way back."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from headrace.inputs import naming_text, read_document, rereadable
from headrace.lst.hashing import hash_path
from headrace.lst.layouts import Layout, ListKind
from headrace.lst.making import Finder, find_classes, find_images, label_paths
from headrace.lst.paths import find_stray
from headrace.lst.rows import (
    HIGHEST_INDEX,
    INDEX_PATTERN,
    ListError,
    find_layout,
    find_line_problems,
    format_labels,
    format_number,
    read_lines,
)
from headrace.manifest.box_lists import find_unlisted, find_unreadable, read_boxes, write_boxes
from headrace.manifest.labels import MOST, Label, LabelKind, Task, is_class, is_hot, parse_classes, read_label
from headrace.manifest.records import (
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    ManifestError,
    Record,
    read_manifest,
    write_lines,
    write_manifest,
)
from headrace.s3.addresses import S3Address, S3AddressError
from headrace.s3.manifests import TraditionalManifestError, parse_traditional

CLASS_ATTRIBUTE: Final = "class"
BOX_ATTRIBUTE: Final = "bounding-box"
INDEX_ATTRIBUTE: Final = "index"
# Of several labels, a list has a column for each class.
MOST_COLUMNS: Final = 10_000


def expand_manifest(
    path: Path, output: Path, labels: Mapping[str, Any] | None = None, attribute: str = CLASS_ATTRIBUTE
) -> None:
    """Write a traditional manifest as an augmented one: full URIs, with labels where they are given.

    Args:
        path: The traditional manifest.
        output: Where the augmented manifest goes.
        labels: The label of each key, as it stands in the manifest; then every key needs one.
        attribute: What the labels are called.
    """
    try:
        prefix, keys = parse_traditional(read_json(path))
    except TraditionalManifestError as error:
        raise ManifestError(f"{path}: {error}") from error
    records = []
    for number, key in enumerate(keys, start=1):
        record: dict[str, Any] = {SOURCE_REFERENCE: prefix + key}
        if labels is not None:
            if key not in labels:
                raise ManifestError(f"{path}, key {number}: {key} has no label; add it to the labels or remove it here")
            record[attribute] = labels[key]
        records.append(record)
    write_manifest(output, records)


def convert_list(path: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE) -> None:
    """Write a list as a manifest, its rows' indices under `index` for the way back.

    Several labels become an array, as they stand: `[1, 0, 1]`. Boxes become pixels.

    Args:
        path: The list: of classes, numbers, several labels or boxes.
        prefix: `s3://bucket/prefix/` of the channel that its paths are below.
        output: Where the manifest goes.
        attribute: What the class is called.
    """
    start = check_prefix(prefix)
    try:
        with rereadable(path):
            rows = _read_rows(path, find_layout(path))
            write_manifest(
                output,
                (
                    {SOURCE_REFERENCE: start + name, attribute: label, INDEX_ATTRIBUTE: index}
                    for index, label, name in rows
                ),
            )
    except ListError as error:
        raise ManifestError(str(error)) from error


def _read_rows(path: Path, layout: Layout) -> Iterator[tuple[int, Any, str]]:
    """Index, label and path of each row of a list."""
    for number, line in read_lines(path):
        fields = line.split("\t")
        for problem in find_line_problems(fields, layout):
            raise ManifestError(f"{path}, line {number}: {problem}")
        if stray := find_stray(fields[-1]):
            raise ManifestError(f"{path}, line {number}: {fields[-1]} {stray}")
        if layout.varies:
            for reason in find_unreadable(fields[1:-1]):
                raise ManifestError(f"{path}, line {number}: {reason}")
            yield int(fields[0]), read_boxes(fields[1:-1]), fields[-1]
            continue
        labels = [float(label) if "." in label else int(label) for label in format_labels(fields[1:-1]).split("\t")]
        yield int(fields[0]), labels if layout.kind is ListKind.LABELS else labels[0], fields[-1]


def convert_to_list(path: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE) -> None:
    """Write a manifest of classes or boxes as a list; `index` gives the indices, or else a hash of each path.

    Of several labels, the list has a column of 0 or 1 for each class.

    Args:
        path: The manifest.
        prefix: The S3 prefix that all its images are below.
        output: Where the list goes.
        attribute: What the class is called.
    """
    start = check_prefix(prefix)
    indices: dict[int, int] = {}

    def list_lines(columns: int) -> Iterator[str]:
        for record in read_manifest(path):
            index, name = read_list_fields(path, record, start)
            label = _write_label(path, record, attribute, columns)
            first = indices.setdefault(index, record.line)
            if first != record.line:
                raise ManifestError(f"{path}, line {record.line}: index {index} is that of line {first}, too")
            yield f"{index}\t{label}\t{name}"

    with rereadable(path):
        write_lines(output, list_lines(_count_columns(path, attribute)))


def _count_columns(path: Path, attribute: str) -> int:
    """How many columns several labels need; none where each line has one."""
    columns = 0
    for record in read_manifest(path):
        label = read_label(record.data, attribute)
        if label.kind is LabelKind.CLASSES:
            columns = max(columns, _count_classes(label))
        if columns > MOST_COLUMNS:
            raise ManifestError(
                f"{path}, line {record.line}: {attribute} has class {columns - 1}; a list would need as many columns"
            )
    return columns


def _count_classes(label: Label) -> int:
    classes = parse_classes(label.value)
    if "class-map" not in label.metadata and isinstance(classes, tuple) and is_hot(classes):
        return len(classes)
    return max((int(number) + 1 for number in label.class_ids if is_class(number)), default=1)


def _write_label(path: Path, record: Record, attribute: str, columns: int) -> str:
    """A label as it stands in a list."""
    label = read_label(record.data, attribute)
    if label.kind is LabelKind.BOXES and not columns:
        if problem := find_unlisted(record.data, attribute):
            raise ManifestError(f"{path}, line {record.line}: {problem}")
        return write_boxes(label.value)
    where = f"{path}, line {record.line}: {attribute} is {label.value!r}"
    if columns:
        if label.kind is not LabelKind.CLASSES or not all(map(is_class, label.class_ids)):
            raise ManifestError(f"{where}, expected an array of classes, as other lines have")
        marked = {int(number) for number in label.class_ids}
        return "\t".join(str(int(number in marked)) for number in range(columns))
    if isinstance(label.value, float):
        return format_number(format(Decimal(repr(label.value)), "f"))
    if not is_class(label.value):
        raise ManifestError(f"{where}, expected a class, a whole number from 0 to {MOST}")
    return str(int(label.value))


def read_list_fields(path: Path, record: Record, prefix: str) -> tuple[int, str]:
    """Index and path of a record."""
    uri = record.data.get(SOURCE_REFERENCE)
    where = f"{path}, line {record.line}"
    if not isinstance(uri, str) or not uri.startswith(prefix) or uri == prefix:
        raise ManifestError(f"{where}: source-ref is {uri!r}, expected something below {prefix}")
    name = uri.removeprefix(prefix)
    if any(character in name for character in "\t\r\n"):
        raise ManifestError(f"{where}: {name!r} holds a tab or a line end, which a list cannot")
    index = record.data.get(INDEX_ATTRIBUTE)
    return hash_path(name) if index is None else _read_index(where, index), name


def _read_index(where: str, index: object) -> int:
    """An index of 64 bits, which may stand as a text."""
    if isinstance(index, int | str) and not isinstance(index, bool) and re.fullmatch(INDEX_PATTERN, str(index)):
        number = int(index)
        if number <= HIGHEST_INDEX:
            return number
    raise ManifestError(f"{where}: {INDEX_ATTRIBUTE} is {index!r}, expected a whole number from 0 to {HIGHEST_INDEX}")


def convert_folders(
    folder: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE, *, finder: Finder | None = None
) -> tuple[str, ...]:
    """Write a folder with one sub-folder of images per class as a manifest; the classes.

    Args:
        folder: Where the images are on this machine.
        prefix: `s3://bucket/prefix/` where they are, or will be.
        output: Where the manifest goes; its order is that of a hash of each path.
        attribute: What the class is called.
        finder: Says what is an image, and counts what is left out.
    """
    start = check_prefix(prefix)
    try:
        names = find_classes(folder)
        classes, rows = label_paths(find_images(folder, names, finder), {name: name for name in names})
    except ListError as error:
        raise ManifestError(str(error)) from error
    write_manifest(
        output,
        (
            {
                SOURCE_REFERENCE: start + row.path,
                attribute: row.label,
                f"{attribute}{METADATA_SUFFIX}": {
                    "class-name": classes[row.label],
                    "type": f"groundtruth/{Task.IMAGE_CLASSIFICATION}",
                    "human-annotated": "yes",
                },
            }
            for row in sorted(rows, key=lambda row: row.index)
        ),
    )
    return classes


def check_prefix(prefix: str) -> str:
    """An S3 prefix with the slash at its end."""
    try:
        return str(S3Address.parse(prefix).as_folder())
    except S3AddressError as error:
        raise ManifestError(str(error)) from None


def read_json(path: Path) -> Any:
    """What a file of JSON says."""
    try:
        with naming_text(path, ManifestError):
            return json.loads(read_document(path))
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not JSON that can be read: {error}") from error
