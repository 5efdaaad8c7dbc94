"""What kind of label a record has, what it says, and what it must look like for the algorithm that learns from it.

Ground Truth names the kind in the label's metadata; a label without metadata is known by its shape. An array holds
classes by number. Without a class-map, one of 0 and 1 only has a mark for each class, as the image classification
algorithm reads it by default (https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html).
"""

import json
import re
import reprlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Any, Final, TypeGuard

from headrace.manifest.records import (
    FAILURE,
    REFERENCE_SUFFIX,
    find_source,
    name_kind,
    name_metadata,
    read_metadata,
    read_type,
)

# Of a class, and of a side in pixels.
MOST: Final = 999_999_999
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


class LabelKind(StrEnum):
    """How a label says what it says."""

    CLASS = "class"
    CLASSES = "classes"
    BOXES = "boxes"
    MASK = "mask"
    SPANS = "spans"
    OTHER = "other"


_KINDS_BY_TYPE: Final = {
    "image-classification-multilabel": LabelKind.CLASSES,
    "text-classification-multilabel": LabelKind.CLASSES,
    "object-detection": LabelKind.BOXES,
    "semantic-segmentation": LabelKind.MASK,
    "text-span": LabelKind.SPANS,
}
# Their labels stand in their own files.
_SEQUENCES: Final = ("video-object", "video-frame", "point-cloud", "3d-", "3d2d")


@dataclass(frozen=True)
class Label:
    """One label of a record."""

    name: str
    value: Any
    metadata: Mapping[str, Any]
    kind: LabelKind

    @property
    def is_given(self) -> bool:
        """Whether there is a label and its annotation did not fail."""
        return self.value is not None and FAILURE not in self.metadata

    @cached_property
    def class_ids(self) -> list[Any]:
        """The classes as numbers, one for each box where there are boxes."""
        if self.kind is LabelKind.CLASS:
            return [] if self.value is None else [self.value]
        if self.kind is LabelKind.CLASSES:
            classes = parse_classes(self.value)
            if not isinstance(classes, tuple):
                return [] if classes is None else [classes]
            return list(classes if "class-map" in self.metadata else list_hot(classes))
        if self.kind is LabelKind.BOXES:
            return [box.get("class_id") for box in _list_objects(self.value, "annotations")]
        return list(_read_object(self.metadata, "internal-color-map")) if self.kind is LabelKind.MASK else []

    @property
    def class_names(self) -> list[str]:
        """The classes by name, one for each box or span; by number where no name is given."""
        if self.kind is LabelKind.SPANS:
            annotations = self.value.get("annotations") if isinstance(self.value, dict) else None
            return [str(entity.get("label")) for entity in _list_objects(annotations, "entities")]
        if self.kind is LabelKind.CLASS:
            return [str(self.metadata.get("class-name", label)) for label in self.class_ids]
        names = self._class_map
        return [str(names.get(str(label), label)) for label in self.class_ids]

    @property
    def terms(self) -> set[str]:
        """Everything that its classes may be called by: names and numbers."""
        return {*self.class_names, *map(str, self.class_ids)}

    @property
    def confidences(self) -> list[float]:
        """All confidences that metadata has: of the label, or of each class, box, span or colour."""
        objects = chain(
            [self.metadata],
            _list_objects(self.metadata, "objects"),
            _list_objects(self.metadata, "entities"),
            _read_object(self.metadata, "internal-color-map").values(),
        )
        found = [item.get("confidence") for item in objects if isinstance(item, dict)]
        found += _read_object(self.metadata, "confidence-map").values()
        return [confidence for confidence in found if is_number(confidence)]

    @property
    def _class_map(self) -> Mapping[str, Any]:
        if self.kind is not LabelKind.MASK:
            return _read_object(self.metadata, "class-map")
        colours = _read_object(self.metadata, "internal-color-map")
        return {number: _read_object(colours, number).get("class-name", number) for number in colours}


def read_label(data: Mapping[str, Any], attribute: str) -> Label:
    """A label of a record, which need not have it."""
    value = data.get(attribute)
    return Label(attribute, value, read_metadata(data, attribute), _find_kind(data, attribute, value))


def _find_kind(data: Mapping[str, Any], attribute: str, value: object) -> LabelKind:
    job = read_type(data, attribute)
    if job in _KINDS_BY_TYPE:
        return _KINDS_BY_TYPE[job]
    if job.startswith(_SEQUENCES):
        return LabelKind.OTHER
    if isinstance(value, dict):
        return LabelKind.BOXES if isinstance(value.get("annotations"), list) else LabelKind.OTHER
    if parse_classes(value) is not value:
        return LabelKind.CLASSES
    return LabelKind.MASK if attribute.endswith(REFERENCE_SUFFIX) else LabelKind.CLASS


def parse_classes(value: Any) -> Any:
    """The classes of an array, which AWS's examples also write as a text: `"[1, 0, 1]"`; other values as they are."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return tuple(value) if isinstance(value, list) else value


def is_hot(classes: Sequence[object]) -> bool:
    """Whether an array has 0 or 1 for each class."""
    return len(classes) > 1 and all(str(label) in {"0", "1"} for label in classes)


def list_hot(classes: Sequence[Any]) -> Sequence[Any]:
    """The numbers of the classes that an array of 0 and 1 marks; another array as it is."""
    return [number for number, mark in enumerate(classes) if str(mark) == "1"] if is_hot(classes) else classes


def _read_object(holder: object, name: str) -> Mapping[str, Any]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, dict) else {}


def _list_objects(holder: object, name: str) -> list[dict[str, Any]]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def find_task(data: Mapping[str, Any], attribute: str) -> Task | None:
    """The task that a label's metadata names."""
    job = read_type(data, attribute)
    return next((task for task in Task if job.startswith(task)), None)


def can_judge(data: Mapping[str, Any], attribute: str) -> bool:
    """Whether a label's own kind says what is right."""
    return _find_own_check(data, attribute) is not None


def find_own_problems(data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    """What is wrong with a label by its own kind, with its metadata before it."""
    for text in find_metadata_problems(data, attribute):
        yield f"{name_metadata(data, attribute)}: {text}"
    check = _find_own_check(data, attribute)
    if check:
        yield from (f"{attribute}: {text}" for text in check(data[attribute], data, attribute))


def _find_own_check(data: Mapping[str, Any], attribute: str) -> "_Check | None":
    job, task = read_type(data, attribute), find_task(data, attribute)
    if task or job:
        return _FINDERS[task] if task else _CHECKS_BY_TYPE.get(job)
    label = read_label(data, attribute)
    if label.kind is LabelKind.CLASS:
        return _check_class if is_class(label.value) else None
    return _CHECKS_BY_KIND.get(label.kind)


def find_label_problems(task: Task, data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    """What is wrong with a label for this task."""
    for text in _FINDERS[task](data[attribute], data, attribute):
        yield f"{attribute}: {text}"


def find_metadata_problems(data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    """What is wrong with the metadata that names a label's classes and their confidences."""
    metadata = data.get(name_metadata(data, attribute), {})
    if not isinstance(metadata, dict):
        yield f"{name_kind(metadata)}, expected an object"
        return
    label = read_label(data, attribute)
    if "class-map" in metadata:
        yield from _check_class_map(metadata["class-map"])
    elif label.kind in {LabelKind.BOXES, LabelKind.CLASSES} and read_type(data, attribute) and label.class_ids:
        yield 'no class-map, which names the classes: {"0": "car"}'
    for name, kind in (("confidence-map", dict), ("internal-color-map", dict), ("objects", list)):
        if not isinstance(metadata.get(name, kind()), kind):
            yield f"{name} is {name_kind(metadata[name])}, expected an {'object' if kind is dict else 'array'}"
    if not isinstance(metadata.get("class-name", ""), str):
        yield f"class-name is {name_kind(metadata['class-name'])}, expected a string"
    yield from (f"confidence {value!r} is not between 0 and 1" for value in label.confidences if not 0 <= value <= 1)


def _check_class_map(names: object) -> Iterator[str]:
    if not isinstance(names, dict):
        yield f'class-map is {name_kind(names)}, expected an object such as {{"0": "car"}}'
        return
    for number, name in names.items():
        if not is_class(number):
            yield f"class-map has {number!r}, expected a class, a whole number from 0 to {MOST}"
        if not isinstance(name, str):
            yield f"class-map names class {number} {name_kind(name)}, expected a string"


def _check_class(value: object, data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    parsed = parse_classes(value)
    classes = parsed if isinstance(parsed, tuple) else [parsed]
    yield from (
        f"class {show_value(label)} is not a whole number from 0 to {MOST}" for label in classes if not is_class(label)
    )
    names = read_metadata(data, attribute).get("class-map")
    if isinstance(names, dict) and isinstance(parsed, tuple):
        yield from (
            f"class {label}, which the class-map does not name"
            for label in classes
            if is_class(label) and str(label) not in names
        )


def _check_reference(value: object, _data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    if not attribute.endswith(REFERENCE_SUFFIX):
        yield "segmentation needs the S3 URI of a mask, under a name that ends with -ref"
    elif not isinstance(value, str):
        yield f"{name_kind(value)}, expected the S3 URI of a mask"


def _check_spans(value: object, data: Mapping[str, Any], _attribute: str) -> Iterator[str]:
    annotations = value.get("annotations") if isinstance(value, dict) else None
    entities = annotations.get("entities") if isinstance(annotations, dict) else None
    if not isinstance(entities, list):
        yield "annotations has no array of entities"
        return
    text = data.get(find_source(data) or "")
    length = len(text) if "source" in data and isinstance(text, str) else None
    for number, entity in enumerate(entities, start=1):
        yield from (f"entity {number} {problem}" for problem in _find_span_problems(entity, length))


def _find_span_problems(entity: object, length: int | None) -> Iterator[str]:
    if not isinstance(entity, dict):
        yield f"is {name_kind(entity)}, expected an object"
        return
    if not isinstance(entity.get("label"), str):
        yield f"has the label {entity.get('label')!r}, expected a string"
    start, end = entity.get("startOffset"), entity.get("endOffset")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end:
        yield f"is from {start!r} to {end!r}, expected two whole numbers, the lower first"
    elif length is not None and end > length:
        yield f"ends at {end}, beyond the text of {length} characters"


def _check_boxes(value: object, data: Mapping[str, Any], attribute: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name_kind(value)}, expected an object with image_size and annotations"
        return
    size = read_image_size(value)
    if size is None:
        yield (
            f"image_size is {show_value(value.get('image_size'))}, "
            f'expected [{{"width": …, "height": …, "depth": …}}] with sides from 1 to {MOST}'
        )
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
        yield f"has class_id {show_value(box.get('class_id'))}, expected a whole number from 0 to {MOST}"
    elif isinstance(names, dict) and str(box["class_id"]) not in names:
        yield f"has class_id {box['class_id']}, which the class-map does not name"
    yield from find_side_problems(box, size)


def find_side_problems(box: Mapping[str, Any], size: tuple[float, float] | None) -> Iterator[str]:
    """What is wrong with where a box is: its sides are not numbers, it is empty, or it reaches outside its image."""
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
    return (width, height) if is_side(width) and is_side(height) else None


def is_class(value: object) -> TypeGuard[int | str]:
    """Whether a value is a class: a whole number of at most nine digits, as Ground Truth also writes it as text."""
    if isinstance(value, str):
        return bool(_CLASS.fullmatch(value))
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a JSON number that a float can be: neither infinite nor NaN, which Python's reader takes."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def is_side(value: object) -> TypeGuard[float]:
    """Whether a value can be the width or the height of an image, in pixels."""
    return is_number(value) and 1 <= value <= MOST


def show_value(value: object) -> str:
    """A value for a message, shortened where it is very long."""
    shown = reprlib.Repr()
    shown.maxstring = shown.maxother = 100
    return shown.repr(value)


def _is_inside(box: Mapping[str, float], size: tuple[float, float]) -> bool:
    return (
        min(box["left"], box["top"]) >= -_TOLERANCE_PIXELS
        and box["left"] + box["width"] <= size[0] + _TOLERANCE_PIXELS
        and box["top"] + box["height"] <= size[1] + _TOLERANCE_PIXELS
    )


_Check = Callable[[Any, Mapping[str, Any], str], Iterator[str]]
_FINDERS: Final[dict[Task, _Check]] = {
    Task.OBJECT_DETECTION: _check_boxes,
    Task.IMAGE_CLASSIFICATION: _check_class,
    Task.SEMANTIC_SEGMENTATION: _check_reference,
    Task.TEXT_CLASSIFICATION: _check_class,
}
_CHECKS_BY_TYPE: Final[dict[str, _Check]] = {
    "text-span": _check_spans,
    "label-verification": _check_class,
    "video-classification": _check_class,
}
_CHECKS_BY_KIND: Final[dict[LabelKind, _Check]] = {
    LabelKind.CLASSES: _check_class,
    LabelKind.BOXES: _check_boxes,
    LabelKind.MASK: _check_reference,
}
