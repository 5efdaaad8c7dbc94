"""Boxes as lists have them, and back: parts of the image there, pixels in a manifest.

A row of a list has its header first, of these lengths of header and box and the image's size in pixels; a box is its
class, then left, top, right and bottom, as MXNet's im2rec packs them with `--pack-label`:

    1	4	5	800	533	0	0.1	0.1	0.5	0.5	street/1.jpg
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from headrace.lst.layouts import SHORTEST_BOX, SIZED_HEADER, find_box_problems, measure_boxes
from headrace.lst.rows import format_number
from headrace.manifest.labels import MOST, Task, find_label_problems, is_side, read_image_size

# Of a pixel: what is lost when a side is written as a part of the image and read again.
_DIGITS: Final = 3


def find_unlisted(data: Mapping[str, Any], attribute: str) -> str | None:
    """Why a record's boxes cannot stand in a list; None where they can."""
    for problem in find_label_problems(Task.OBJECT_DETECTION, data, attribute):
        return problem
    return None if data[attribute]["annotations"] else f"{attribute}: has no boxes, and a list has no images without"


def write_boxes(value: Mapping[str, Any]) -> str:
    """The label columns of a record's boxes, which can stand in a list."""
    size = read_image_size(value)
    if size is None:
        raise ValueError(value)
    width, height = size
    numbers: list[float] = [SIZED_HEADER, SHORTEST_BOX, width, height]
    for box in value["annotations"]:
        left, top = box["left"], box["top"]
        sides = (left / width, top / height, (left + box["width"]) / width, (top + box["height"]) / height)
        numbers += [box["class_id"], *sides]
    return "\t".join(format_number(format(Decimal(repr(number)), "f")) for number in numbers)


def find_unreadable(labels: Sequence[str]) -> Iterator[str]:
    """What keeps a row's boxes out of a manifest."""
    yield from find_box_problems(labels)
    lengths = measure_boxes(labels)
    if lengths and lengths[0] >= SIZED_HEADER and not all(map(is_side, map(float, labels[2:SIZED_HEADER]))):
        yield f"has an image of {' x '.join(labels[2:SIZED_HEADER])} pixels, expected sides from 1 to {MOST}"
    elif lengths and lengths[0] < SIZED_HEADER:
        yield (
            "has boxes as parts of the image, and no width and height in its header, and a manifest's boxes are "
            "pixels; make the list with the sizes, or pack it"
        )


def read_boxes(labels: Sequence[str]) -> dict[str, Any]:
    """What a manifest says of a row's boxes, of which everything is readable."""
    header, step = measure_boxes(labels) or (0, 0)
    width, height = (float(label) for label in labels[2:SIZED_HEADER])
    boxes = []
    for start in range(header, len(labels), step):
        left, top, right, bottom = (float(label) for label in labels[start + 1 : start + SHORTEST_BOX])
        box = {
            "left": _round(left * width),
            "top": _round(top * height),
            "width": _round((right - left) * width),
            "height": _round((bottom - top) * height),
        }
        boxes.append({"class_id": int(float(labels[start])), **box})
    size = {"width": _round(width), "height": _round(height), "depth": 3}
    return {"image_size": [size], "annotations": boxes}


def _round(pixels: float) -> float:
    rounded = round(pixels, _DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded
