"""COCO's instances made into a manifest of boxes, and back.

COCO is one JSON object of images, their boxes as [left, top, width, height] and the names of categories
(https://cocodataset.org/#format-data):

    {"images": [{"id": 1, "file_name": "1.jpg", "width": 640, "height": 480}],
     "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [12, 30, 200, 118], "area": 23600,
                      "iscrowd": 0}],
     "categories": [{"id": 3, "name": "car"}]}
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from headrace.files import whole_file
from headrace.lst.paths import find_stray
from headrace.manifest.conversion import BOX_ATTRIBUTE, check_prefix, read_json
from headrace.manifest.labels import (
    MOST,
    Task,
    find_label_problems,
    find_metadata_problems,
    find_side_problems,
    is_number,
    is_side,
    read_image_size,
    show_value,
)
from headrace.manifest.records import (
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    ManifestError,
    Record,
    name_kind,
    name_metadata,
    read_manifest,
    read_metadata,
    write_manifest,
)

SHOWN_BOXES: Final = 3
Id = int | str


class BadBoxes(StrEnum):
    """What becomes of boxes that are empty, outside their image or not there: train2017 has two of no height."""

    REFUSE = "refuse"
    SKIP = "skip"
    CLIP = "clip"


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What a conversion of COCO made.

    Args:
        images: Images, all of them in the manifest.
        boxes: Boxes in the manifest.
        crowds: Crowds left out: regions of many and no boxes of one.
        skipped: Bad boxes left out.
        clipped: Bad boxes cut to their image.
        without_boxes: Images that have no box.
    """

    images: int
    boxes: int
    crowds: int
    skipped: int
    clipped: int
    without_boxes: int


def convert_coco(
    path: Path,
    prefix: str,
    output: Path,
    attribute: str = BOX_ATTRIBUTE,
    *,
    bad_boxes: BadBoxes = BadBoxes.REFUSE,
) -> Conversion:
    """Write COCO's boxes as a manifest; classes are the categories in the order of their ids.

    Crowds are left out, and so are masks.

    Args:
        path: COCO's instances as JSON.
        prefix: `s3://bucket/prefix/` that the images' file names are below.
        output: Where the manifest goes.
        attribute: What the boxes are called.
        bad_boxes: What becomes of boxes that cannot be learnt from.

    Raises:
        ManifestError: an image, an annotation or a category is wrong; the message has its id.
    """
    start = check_prefix(prefix)
    reader = _Reader(path, read_json(path), bad_boxes)
    boxes = reader.read_boxes()
    write_manifest(
        output,
        (
            _describe_image(image, boxes.get(number, ()), reader.names, start, attribute)
            for number, image in reader.images.items()
        ),
    )
    return Conversion(
        images=len(reader.images),
        boxes=sum(map(len, boxes.values())),
        crowds=reader.counts["crowds"],
        skipped=reader.counts["skipped"],
        clipped=reader.counts["clipped"],
        without_boxes=sum(not boxes.get(number) for number in reader.images),
    )


class _Reader:
    """Reads COCO's instances, and says by its id what is wrong with them."""

    def __init__(self, path: Path, coco: Any, bad_boxes: BadBoxes) -> None:
        self._path = path
        self._coco = coco
        self._bad_boxes = bad_boxes
        self.counts = Counter[str]()
        if not isinstance(coco, dict):
            raise self._error(f"not COCO's instances: {name_kind(coco)}, expected an object")
        self._require_new_names()
        self.images = self._read_entries("image", "images")
        categories = self._read_entries("category", "categories")
        ordered = sorted(categories, key=_order)
        self._classes = {number: place for place, number in enumerate(ordered)}
        self.names = {str(self._classes[number]): categories[number]["name"] for number in ordered}

    def read_boxes(self) -> Mapping[Id, list[dict[str, Any]]]:
        """The boxes of each image, by its id."""
        boxes: defaultdict[Id, list[dict[str, Any]]] = defaultdict(list)
        bad: list[str] = []
        seen: set[Id] = set()
        for place, annotation in enumerate(self._read_array("annotations"), start=1):
            name = self._name(annotation, "annotation", "annotations", place)
            self._refuse_repeated(annotation, name, seen)
            if annotation.get("iscrowd"):
                self.counts["crowds"] += 1
                continue
            box, problem = self._read_box(annotation, name)
            if box:
                boxes[annotation["image_id"]].append(box)
            if problem:
                bad.append(problem)
        if bad and self._bad_boxes is BadBoxes.REFUSE:
            more = f"\nand {len(bad) - SHOWN_BOXES} more" if len(bad) > SHOWN_BOXES else ""
            told = "\n".join(f"{self._path}, {problem}" for problem in bad[:SHOWN_BOXES])
            raise ManifestError(f"{told}{more}\ncorrect them, or choose to skip or clip bad boxes (`--bad-boxes`)")
        return boxes

    def _read_box(self, annotation: Mapping[str, Any], name: str) -> tuple[dict[str, Any] | None, str | None]:
        """A box as a manifest has it, or what is wrong with it, or both where it is clipped."""
        image_id, category_id = _read_id(annotation.get("image_id")), _read_id(annotation.get("category_id"))
        image = None if image_id is None else self.images.get(image_id)
        if image is None:
            raise self._error(f"{name}: no image has the id {annotation.get('image_id')!r} of its box")
        class_id = None if category_id is None else self._classes.get(category_id)
        if class_id is None:
            raise self._error(f"{name}: no category has the id {annotation.get('category_id')!r} of its box")
        where = f"{name}, of image {image['id']} ({image['file_name']})"
        sides = annotation.get("bbox")
        if not isinstance(sides, list) or len(sides) != 4 or not all(map(is_number, sides)):
            self.counts["skipped"] += 1
            found = "there is no bbox" if sides is None else f"bbox is {sides!r}, expected left, top, width and height"
            return None, f"{where}: {found}"
        box = {"class_id": class_id, **dict(zip(("left", "top", "width", "height"), sides, strict=True))}
        size = image["width"], image["height"]
        problem = next(find_side_problems(box, size), None)
        if problem is None:
            return box, None
        clipped = _clip(box, size) if self._bad_boxes is BadBoxes.CLIP else None
        self.counts["clipped" if clipped else "skipped"] += 1
        return clipped, f"{where}: the box {problem}"

    def _require_new_names(self) -> None:
        """Refuse a file name that two images have: their boxes would be apart."""
        seen: dict[Any, Any] = {}
        for place, image in enumerate(self._read_array("images"), start=1):
            name = self._name(image, "image", "images", place)
            file = image.get("file_name")
            if not isinstance(file, str) or not file:
                raise self._error(f"{name}: file_name is {file!r}, expected the name of a file")
            if stray := find_stray(file):
                raise self._error(f"{name}: {file} {stray}")
            first = seen.setdefault(file, name)
            if first != name:
                raise self._error(f"{name} has the file {file} of {first}; each image has one file")
            for side in ("width", "height"):
                if not is_side(image.get(side)):
                    raise self._error(
                        f"{name} ({file}): {side} is {show_value(image.get(side))}, expected a number from 1 to {MOST}"
                    )

    def _read_entries(self, kind: str, key: str) -> dict[Id, dict[str, Any]]:
        """Images or categories by their ids."""
        entries: dict[Id, dict[str, Any]] = {}
        for place, entry in enumerate(self._read_array(key), start=1):
            name = self._name(entry, kind, key, place)
            number = _read_id(entry.get("id"))
            label = entry.get("file_name" if kind == "image" else "name")
            if number is None:
                raise self._error(f"{name}: id is {entry.get('id')!r}, expected a number or a text")
            if not isinstance(label, str):
                raise self._error(f"{name}: name is {label!r}, expected a text")
            if number in entries:
                other = entries[number]["file_name" if kind == "image" else "name"]
                raise self._error(f"{name} occurs twice: {other} and {label}; ids are unique")
            entries[number] = entry
        return entries

    def _read_array(self, key: str) -> list[dict[str, Any]]:
        array = self._coco.get(key)
        if not isinstance(array, list):
            raise self._error(f"not COCO's instances: there is no array of {key}")
        for place, entry in enumerate(array, start=1):
            if not isinstance(entry, dict):
                raise self._error(f"not COCO's instances: {key}, entry {place}: {name_kind(entry)}, expected an object")
        return array

    def _refuse_repeated(self, annotation: Mapping[str, Any], name: str, seen: set[Id]) -> None:
        number = _read_id(annotation.get("id"))
        if number in seen:
            raise self._error(f"{name} occurs twice; ids are unique")
        if number is not None:
            seen.add(number)

    def _name(self, entry: Mapping[str, Any], kind: str, key: str, place: int) -> str:
        return f"{kind} {entry['id']}" if "id" in entry else f"{key}, entry {place}"

    def _error(self, text: str) -> ManifestError:
        return ManifestError(f"{self._path}, {text}" if not text.startswith("not ") else f"{self._path}: {text}")


def _read_id(value: object) -> Id | None:
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _order(number: Id) -> tuple[int, str]:
    """Where an id stands: numbers by size, then texts."""
    return (number, "") if isinstance(number, int) else (sys.maxsize, number)


def _clip(box: Mapping[str, Any], size: tuple[float, float]) -> dict[str, Any] | None:
    """The part of a box that is in its image; None where there is none."""
    left, top = max(box["left"], 0), max(box["top"], 0)
    width = min(box["left"] + box["width"], size[0]) - left
    height = min(box["top"] + box["height"], size[1]) - top
    clipped = {"class_id": box["class_id"], "left": left, "top": top, "width": width, "height": height}
    return clipped if min(width, height) > 0 else None


def _describe_image(
    image: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]], names: Mapping[str, str], prefix: str, attribute: str
) -> dict[str, Any]:
    size = {"width": image["width"], "height": image["height"], "depth": 3}
    return {
        SOURCE_REFERENCE: prefix + image["file_name"],
        attribute: {"image_size": [size], "annotations": list(boxes)},
        f"{attribute}{METADATA_SUFFIX}": {
            "class-map": names,
            "objects": [{"confidence": 1} for _ in boxes],
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
    for problem in find_metadata_problems(record.data, attribute):
        raise ManifestError(f"{where}: {name_metadata(record.data, attribute)}: {problem}")
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
