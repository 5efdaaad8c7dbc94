"""Augmented manifests made of other descriptions of data, and the way back.

A traditional manifest is one JSON array: a prefix, then keys relative to it
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html):

    [{"prefix": "s3://raw/images/"}, "cat/1.jpg", "dog/2.jpg"]
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from headrace.errors import explain_os_error
from headrace.inputs import read_document
from headrace.lst.hashing import hash_path
from headrace.lst.making import Finder, find_classes, find_images, label_paths
from headrace.lst.rows import ListError, parse_row, read_lines
from headrace.manifest.labels import S3_URI, Task, is_class
from headrace.manifest.records import (
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    ManifestError,
    Record,
    read_manifest,
    write_lines,
    write_manifest,
)

CLASS_ATTRIBUTE: Final = "class"
BOX_ATTRIBUTE: Final = "bounding-box"
INDEX_ATTRIBUTE: Final = "index"


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
    prefix, keys = read_traditional(path)
    records = []
    for number, key in enumerate(keys, start=1):
        record: dict[str, Any] = {SOURCE_REFERENCE: prefix + key}
        if labels is not None:
            if key not in labels:
                raise ManifestError(f"{path}, key {number}: {key} has no label; add it to the labels or remove it here")
            record[attribute] = labels[key]
        records.append(record)
    write_manifest(output, records)


def read_traditional(path: Path) -> tuple[str, list[str]]:
    """The prefix and the keys of a traditional manifest."""
    entries = read_json(path)
    first = entries[0] if isinstance(entries, list) and entries else None
    prefix = first.get("prefix") if isinstance(first, dict) else None
    if not isinstance(prefix, str) or not prefix.startswith("s3://"):
        raise ManifestError(f'{path}: expected an array that starts with {{"prefix": "s3://bucket/prefix/"}}')
    for number, key in enumerate(entries[1:], start=1):
        if not isinstance(key, str) or not S3_URI.fullmatch(prefix + key):
            raise ManifestError(f"{path}, key {number}: {key!r} with its prefix is no S3 URI of an object")
    if len(entries) == 1:
        raise ManifestError(f"{path}: no key follows the prefix")
    return prefix, entries[1:]


def convert_list(path: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE) -> None:
    """Write a list as a manifest, its rows' indices under `index` for the way back.

    Args:
        path: The list.
        prefix: `s3://bucket/prefix/` of the channel that its paths are below.
        output: Where the manifest goes.
        attribute: What the class is called.
    """
    start = check_prefix(prefix)
    try:
        rows = (parse_row(path, number, line) for number, line in read_lines(path))
        write_manifest(
            output,
            ({SOURCE_REFERENCE: start + row.path, attribute: row.label, INDEX_ATTRIBUTE: row.index} for row in rows),
        )
    except ListError as error:
        raise ManifestError(str(error)) from error


def convert_to_list(path: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE) -> None:
    """Write a manifest of classes as a list; `index` gives the indices, or else a hash of each path.

    Args:
        path: The manifest.
        prefix: The S3 prefix that all its images are below.
        output: Where the list goes.
        attribute: What the class is called.
    """
    start = check_prefix(prefix)
    indices: dict[int, int] = {}

    def list_lines() -> Iterator[str]:
        for record in read_manifest(path):
            index, label, name = read_list_fields(path, record, start, attribute)
            first = indices.setdefault(index, record.line)
            if first != record.line:
                raise ManifestError(f"{path}, line {record.line}: index {index} is that of line {first}, too")
            yield f"{index}\t{label}\t{name}"

    write_lines(output, list_lines())


def read_list_fields(path: Path, record: Record, prefix: str, attribute: str) -> tuple[int, int, str]:
    """Index, class and path of a record."""
    uri, label = record.data.get(SOURCE_REFERENCE), record.data.get(attribute)
    where = f"{path}, line {record.line}"
    if not isinstance(uri, str) or not uri.startswith(prefix) or uri == prefix:
        raise ManifestError(f"{where}: source-ref is {uri!r}, expected something below {prefix}")
    if not is_class(label):
        raise ManifestError(f"{where}: {attribute} is {label!r}, expected a class, a whole number from 0")
    name = uri.removeprefix(prefix)
    if any(character in name for character in "\t\r\n"):
        raise ManifestError(f"{where}: {name!r} holds a tab or a line end, which a list cannot")
    index = record.data.get(INDEX_ATTRIBUTE)
    return int(index) if is_class(index) else hash_path(name), int(label), name


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
    whole = f"{prefix.rstrip('/')}/"
    if not S3_URI.fullmatch(f"{whole}key"):
        raise ManifestError(f"{prefix!r} is no S3 prefix; write s3://bucket/prefix/")
    return whole


def read_json(path: Path) -> Any:
    """What a file of JSON says."""
    try:
        return json.loads(read_document(path))
    except OSError as error:
        raise ManifestError(explain_os_error(error, path)) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not JSON that can be read: {error}") from error
