"""How labels and boxes are distributed over a manifest."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from headrace.manifest.labels import LabelKind, is_number, read_image_size, read_label
from headrace.manifest.records import (
    FAILURE,
    ManifestError,
    Record,
    find_label,
    find_source,
    has_metadata,
    read_manifest,
    read_type,
)

# Upper ends of the parts of the image that a box covers.
AREA_LIMITS: Final = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(kw_only=True)
class Statistics:
    """Counts over a manifest.

    Args:
        rows: Lines in all.
        unlabelled: Lines without a label.
        failed: Lines whose annotation failed.
        labels: How often each label is given; of boxes, to how many boxes.
        boxes_per_row: How many lines have each number of boxes.
        areas: How many boxes cover at most this part of their image, and more than the part before it.
        unjudged: Lines whose label's classes stand in another file, by what they are.
        attributes: How many lines each label attribute was counted of.
    """

    rows: int = 0
    unlabelled: int = 0
    failed: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    boxes_per_row: Counter[int] = field(default_factory=Counter)
    areas: Counter[float] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter, compare=False)


def count_manifest(path: Path, attribute: str | None = None) -> Statistics:
    """Count a manifest's labels.

    Args:
        path: The manifest.
        attribute: The label attribute; without it, the first one of each line.
    """
    statistics = Statistics()
    found = attribute is None
    for record in read_manifest(path):
        name = attribute or find_label(record.data) or ""
        found = found or name in record.data or has_metadata(record.data, name)
        if name == find_source(record.data):
            raise ManifestError(f"{path}: {name!r} is the source of each line, not a label; name a label")
        _count_record(statistics, record, name)
    if not found and statistics.rows:
        raise ManifestError(f"{path}: no line has the label {attribute!r}; name an existing one")
    return statistics


def _count_record(statistics: Statistics, record: Record, name: str) -> None:
    label = read_label(record.data, name)
    statistics.rows += 1
    if FAILURE in label.metadata:
        statistics.failed += 1
    elif label.value is None:
        statistics.unlabelled += 1
    elif label.kind is LabelKind.OTHER:
        statistics.unjudged[read_type(record.data, name) or name] += 1
    else:
        statistics.labels.update(label.class_names)
        _count_boxes(statistics, label.value)
    if name:
        statistics.attributes[name] += 1


def _count_boxes(statistics: Statistics, value: Any) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("annotations"), list):
        return
    statistics.boxes_per_row[len(value["annotations"])] += 1
    size = read_image_size(value)
    for box in value["annotations"]:
        if size and isinstance(box, dict) and is_number(box.get("width")) and is_number(box.get("height")):
            area = (box["width"] / size[0]) * (box["height"] / size[1])
            statistics.areas[next((limit for limit in AREA_LIMITS if area <= limit), AREA_LIMITS[-1])] += 1
