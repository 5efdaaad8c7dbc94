"""Augmented manifests made of other descriptions of data, and the way back.

A traditional manifest is one JSON array: a prefix, then keys relative to it
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html):

    [{"prefix": "s3://raw/images/"}, "cat/1.jpg", "dog/2.jpg"]

COCO is one JSON object of images, their boxes as [left, top, width, height] and the names of categories
(https://cocodataset.org/#format-data):

    {"images": [{"id": 1, "file_name": "1.jpg", "width": 640, "height": 480}],
     "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [12, 30, 200, 118], "area": 23600,
                      "iscrowd": 0}],
     "categories": [{"id": 3, "name": "car"}]}
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from headrace.errors import explain_os_error
from headrace.files import whole_file
from headrace.inputs import open_input
from headrace.lst.hashing import hash_path
from headrace.lst.making import find_classes, find_images, label_paths
from headrace.lst.rows import ListError, parse_row, read_lines
from headrace.manifest.labels import S3_URI, Task, find_label_problems, is_class, read_image_size
from headrace.manifest.records import (
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    ManifestError,
    Record,
    read_manifest,
    read_metadata,
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
    entries = _read_json(path)
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


def convert_folders(folder: Path, prefix: str, output: Path, attribute: str = CLASS_ATTRIBUTE) -> tuple[str, ...]:
    """Write a folder with one sub-folder of images per class as a manifest; the classes.

    Args:
        folder: Where the images are on this machine.
        prefix: `s3://bucket/prefix/` where they are, or will be.
        output: Where the manifest goes; its order is that of a hash of each path.
        attribute: What the class is called.
    """
    start = check_prefix(prefix)
    try:
        names = find_classes(folder)
        classes, rows = label_paths(find_images(folder, names), {name: name for name in names})
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


def convert_coco(path: Path, prefix: str, output: Path, attribute: str = BOX_ATTRIBUTE) -> None:
    """Write COCO's boxes as a manifest; classes are the categories in the order of their ids.

    Crowds, which are regions of many and no boxes of one, are left out, and so are masks.

    Args:
        path: COCO's instances as JSON.
        prefix: `s3://bucket/prefix/` that the images' file names are below.
        output: Where the manifest goes.
        attribute: What the boxes are called.
    """
    start = check_prefix(prefix)
    coco = _read_json(path)
    try:
        records = list(_describe_coco_images(coco, start, attribute))
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{path}: not COCO's instances: {type(error).__name__} {error}") from error
    for record in records:
        for problem in find_label_problems(Task.OBJECT_DETECTION, record, attribute):
            raise ManifestError(f"{path}, {record[SOURCE_REFERENCE].removeprefix(start)}: {problem}")
    write_manifest(output, records)


def _describe_coco_images(coco: Any, prefix: str, attribute: str) -> Iterator[dict[str, Any]]:
    categories = sorted(coco["categories"], key=lambda category: category["id"])
    classes = {category["id"]: number for number, category in enumerate(categories)}
    names = {str(number): category["name"] for number, category in enumerate(categories)}
    boxes: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in coco["annotations"]:
        if not annotation.get("iscrowd"):
            left, top, width, height = annotation["bbox"]
            class_id = classes[annotation["category_id"]]
            boxes[annotation["image_id"]].append(
                {"class_id": class_id, "left": left, "top": top, "width": width, "height": height}
            )
    unknown = boxes.keys() - {image["id"] for image in coco["images"]}
    if unknown:
        raise ValueError(f"no image has the id {min(unknown)} of a box")
    for image in coco["images"]:
        size = {"width": image["width"], "height": image["height"], "depth": 3}
        yield {
            SOURCE_REFERENCE: prefix + image["file_name"],
            attribute: {"image_size": [size], "annotations": boxes[image["id"]]},
            f"{attribute}{METADATA_SUFFIX}": {
                "class-map": names,
                "objects": [{"confidence": 1} for _ in boxes[image["id"]]],
                "type": f"groundtruth/{Task.OBJECT_DETECTION}",
                "human-annotated": "yes",
            },
        }


def convert_to_coco(path: Path, prefix: str, output: Path, attribute: str = BOX_ATTRIBUTE) -> None:
    """Write a manifest's boxes as COCO's instances; a category's id is its class and one more.

    Args:
        path: The manifest.
        prefix: The S3 prefix that is left out of file names.
        output: Where COCO's JSON goes.
        attribute: What the boxes are called.
    """
    start = check_prefix(prefix)
    names: dict[int, str] = {}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for record in read_manifest(path):
        boxes, size = _read_boxes(path, record, start, attribute)
        images.append(
            {
                "id": len(images) + 1,
                "file_name": record.data[SOURCE_REFERENCE].removeprefix(start),
                "width": size[0],
                "height": size[1],
            }
        )
        class_map = read_metadata(record.data, attribute).get("class-map", {})
        for box in boxes:
            names[box["class_id"]] = str(class_map.get(str(box["class_id"]), box["class_id"]))
            annotations.append(_describe_coco_box(box, len(annotations) + 1, len(images)))
        names |= {int(number): str(name) for number, name in class_map.items()}
    categories = [{"id": number + 1, "name": name} for number, name in sorted(names.items())]
    with whole_file(output) as partial:
        coco = {"images": images, "annotations": annotations, "categories": categories}
        partial.write_text(json.dumps(coco, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _read_boxes(
    path: Path, record: Record, prefix: str, attribute: str
) -> tuple[Sequence[dict[str, Any]], tuple[float, float]]:
    where = f"{path}, line {record.line}"
    if not str(record.data.get(SOURCE_REFERENCE)).startswith(prefix):
        raise ManifestError(f"{where}: source-ref is not below {prefix}")
    if attribute not in record.data:
        raise ManifestError(f"{where}: there is no {attribute}; name the attribute that holds the boxes")
    for problem in find_label_problems(Task.OBJECT_DETECTION, record.data, attribute):
        raise ManifestError(f"{where}: {problem}")
    value = record.data[attribute]
    size = read_image_size(value)
    assert size is not None  # noqa: S101 - checked above
    return value["annotations"], size


def _describe_coco_box(box: Mapping[str, Any], number: int, image: int) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": box["class_id"] + 1,
        "bbox": [box["left"], box["top"], box["width"], box["height"]],
        "area": box["width"] * box["height"],
        "iscrowd": 0,
    }


def check_prefix(prefix: str) -> str:
    """An S3 prefix with the slash at its end."""
    whole = f"{prefix.rstrip('/')}/"
    if not S3_URI.fullmatch(f"{whole}key"):
        raise ManifestError(f"{prefix!r} is no S3 prefix; write s3://bucket/prefix/")
    return whole


def _read_json(path: Path) -> Any:
    try:
        with open_input(path) as file:
            return json.loads(file.read())
    except OSError as error:
        raise ManifestError(explain_os_error(error, path)) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not JSON that can be read: {error}") from error
