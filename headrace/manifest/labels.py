"""What a label must look like for the algorithm that learns from it."""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, TypeGuard

from headrace.manifest.records import name_kind, read_metadata

S3_URI: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)
_CLASS = re.compile(r"[0-9]{1,9}")
_SIDES: Final = ("left", "top", "width", "height")
# Ground Truth's own boxes end a rounding error beyond the image.
_TOLERANCE_PIXELS: Final = 1e-6


class Task(StrEnum):
    """What is learnt from the labels."""

    OBJECT_DETECTION = "object-detection"
    IMAGE_CLASSIFICATION = "image-classification"
    SEMANTIC_SEGMENTATION = "semantic-segmentation"
    TEXT_CLASSIFICATION = "text-classification"


def find_task(data: Mapping[str, Any], attribute: str) -> Task | None:
    """The task that a label's metadata names."""
    kind = str(read_metadata(data, attribute).get("type", "")).removeprefix("groundtruth/")
    return next((task for task in Task if kind.startswith(task)), None)


def find_label_problems(task: Task, data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    """What is wrong with a label for this task."""
    for text in _FINDERS[task](data[attribute], data, attribute):
        yield f"{attribute}: {text}"


def _check_class(value: object, _data: Mapping[str, Any], _attribute: str) -> Iterator[str]:
    classes = value if isinstance(value, list) else [value]
    yield from (f"class {label!r} is not a whole number from 0" for label in classes if not is_class(label))


def _check_reference(value: object, _data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    if not attribute.endswith("-ref"):
        yield "segmentation needs the S3 URI of a mask, under a name that ends with -ref"
    elif not isinstance(value, str):
        yield f"{name_kind(value)}, expected the S3 URI of a mask"


def _check_boxes(value: object, data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name_kind(value)}, expected an object with image_size and annotations"
        return
    size = read_image_size(value)
    if size is None:
        yield 'image_size is not [{"width": …, "height": …, "depth": …}] with numbers above 0'
    boxes = value.get("annotations")
    if not isinstance(boxes, list):
        yield "annotations is not an array of boxes"
        return
    names = read_metadata(data, attribute).get("class-map")
    for number, box in enumerate(boxes, start=1):
        yield from (f"box {number} {text}" for text in _find_box_problems(box, size, names))


def _find_box_problems(box: object, size: tuple[float, float] | None, names: object) -> Iterator[str]:
    if not isinstance(box, dict):
        yield f"is {name_kind(box)}, expected an object"
        return
    if not is_class(box.get("class_id")) or isinstance(box["class_id"], str):
        yield f"has class_id {box.get('class_id')!r}, expected a whole number from 0"
    elif isinstance(names, dict) and str(box["class_id"]) not in names:
        yield f"has class_id {box['class_id']}, which the class-map does not name"
    wrong = [side for side in _SIDES if not is_number(box.get(side))]
    if wrong:
        yield f"has no number for {', '.join(wrong)}"
    elif box["width"] <= 0 or box["height"] <= 0:
        yield f"is empty: width {box['width']}, height {box['height']}"
    elif size and not _is_inside(box, size):
        yield (
            f"reaches outside the image of {size[0]:g} x {size[1]:g}: left {box['left']}, top {box['top']}, "
            f"width {box['width']}, height {box['height']}"
        )


def read_image_size(value: Mapping[str, Any]) -> tuple[float, float] | None:
    """Width and height of a box label's image; None where it has none."""
    sizes = value.get("image_size")
    if not isinstance(sizes, list) or len(sizes) != 1 or not isinstance(sizes[0], dict):
        return None
    width, height = sizes[0].get("width"), sizes[0].get("height")
    if is_number(width) and is_number(height) and min(width, height) > 0:
        return width, height
    return None


def is_class(value: object) -> TypeGuard[int | str]:
    """Whether a value is a class: a whole number from 0, as Ground Truth also writes it as text."""
    if isinstance(value, str):
        return bool(_CLASS.fullmatch(value))
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_inside(box: Mapping[str, float], size: tuple[float, float]) -> bool:
    return (
        min(box["left"], box["top"]) >= -_TOLERANCE_PIXELS
        and box["left"] + box["width"] <= size[0] + _TOLERANCE_PIXELS
        and box["top"] + box["height"] <= size[1] + _TOLERANCE_PIXELS
    )


_FINDERS: Final[dict[Task, Callable[[Any, Mapping[str, Any], str], Iterator[str]]]] = {
    Task.OBJECT_DETECTION: _check_boxes,
    Task.IMAGE_CLASSIFICATION: _check_class,
    Task.SEMANTIC_SEGMENTATION: _check_reference,
    Task.TEXT_CLASSIFICATION: _check_class,
}
