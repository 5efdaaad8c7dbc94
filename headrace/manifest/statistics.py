"""How labels and boxes are distributed over a manifest."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from headrace.manifest.editing import is_labelled, list_labels
from headrace.manifest.labels import is_number, read_image_size
from headrace.manifest.records import FAILURE, find_label, read_manifest, read_metadata

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
        boxes_per_row: How many lines have so many boxes.
        areas: How many boxes cover at most this part of their image, and more than the part before it.
    """

    rows: int = 0
    unlabelled: int = 0
    failed: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    boxes_per_row: Counter[int] = field(default_factory=Counter)
    areas: Counter[float] = field(default_factory=Counter)


def count_manifest(path: Path, attribute: str | None = None) -> Statistics:
    """Count a manifest's labels.

    Args:
        path: The manifest.
        attribute: The label attribute; without it, the first one of each line.
    """
    statistics = Statistics()
    for record in read_manifest(path):
        name = attribute or find_label(record.data) or ""
        statistics.rows += 1
        if FAILURE in read_metadata(record.data, name):
            statistics.failed += 1
        elif not is_labelled(record.data, name):
            statistics.unlabelled += 1
        else:
            statistics.labels.update(list_labels(record.data, name))
            _count_boxes(statistics, record.data[name])
    return statistics


def _count_boxes(statistics: Statistics, value: Any) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("annotations"), list):
        return
    statistics.boxes_per_row[len(value["annotations"])] += 1
    size = read_image_size(value)
    for box in value["annotations"]:
        if size and isinstance(box, dict) and is_number(box.get("width")) and is_number(box.get("height")):
            area = box["width"] * box["height"] / (size[0] * size[1])
            statistics.areas[next((limit for limit in AREA_LIMITS if area <= limit), AREA_LIMITS[-1])] += 1
