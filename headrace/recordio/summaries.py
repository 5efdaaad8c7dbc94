"""What is in a file of records, found by reading all of it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from headrace.recordio.framing import RecordIOError
from headrace.recordio.images import ImageFile
from headrace.recordio.reading import read_batches
from headrace.recordio.rows import Rows, Schema, describe_rows


@dataclass(frozen=True)
class TableSummary:
    """A file of rows: what they have in common, how many there are, and the lowest and highest label."""

    schema: Schema
    rows: int
    lowest_label: float | None
    highest_label: float | None


@dataclass(frozen=True)
class ImageSummary:
    """A file of images: how many there are, of how many bytes, and how many of each class."""

    images: int
    image_bytes: int
    classes: dict[tuple[float, ...], int]


def summarize_rows(path: Path) -> TableSummary:
    """What is in a file of RecordIO-protobuf."""
    schema, count = None, 0
    extremes: list[float] = []
    for rows in read_batches(path):
        schema = schema or describe_rows(rows)
        count += len(rows)
        extremes = find_extremes(extremes, rows)
    if not schema:
        raise RecordIOError(f"{path}: holds no record")
    return TableSummary(schema, count, min(extremes, default=None), max(extremes, default=None))


def find_extremes(extremes: list[float], rows: Rows) -> list[float]:
    """The lowest and highest label so far."""
    labels = extremes if rows.labels is None else [*extremes, float(rows.labels.min()), float(rows.labels.max())]
    return [min(labels), max(labels)] if labels else []


def summarize_images(path: Path) -> ImageSummary:
    """What is in a `.rec` file of images."""
    classes: Counter[tuple[float, ...]] = Counter()
    size = 0
    with ImageFile(path) as images:
        for record in images:
            classes[record.labels] += 1
            size += len(record.image)
    return ImageSummary(classes.total(), size, dict(sorted(classes.items())))
