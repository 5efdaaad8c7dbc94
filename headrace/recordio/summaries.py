"""What is in a file of records, found by reading all of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headrace.recordio.framing import RecordIOError
from headrace.recordio.images import ImageFile
from headrace.recordio.reading import read_batches
from headrace.recordio.records import Array
from headrace.recordio.rows import Rows, Schema, SparseRows, describe_rows


@dataclass(frozen=True)
class TableSummary:
    """A file of rows: what they have in common, how many there are, and the lowest and highest label.

    `not_finite` counts what is NaN or infinite, `first_not_finite` names the first of it.
    """

    schema: Schema
    rows: int
    lowest_label: float | None
    highest_label: float | None
    not_finite: int
    first_not_finite: str | None


class FiniteWatch:
    """Counts what is NaN or infinite in batches of rows that pass by, and remembers where the first is."""

    def __init__(self) -> None:
        self.count = 0
        self.first: tuple[int, int | None] | None = None
        self._rows = 0

    def watch(self, batches: Iterable[Rows]) -> Iterator[Rows]:
        """The batches as they are."""
        for rows in batches:
            self._look_at(rows)
            yield rows

    def _look_at(self, rows: Rows) -> None:
        places = list(_find_places(rows.features))
        if rows.labels is not None:
            places += [(int(row), None) for row in np.flatnonzero(~np.isfinite(rows.labels))]
        if places and self.first is None:
            row, column = min(places, key=lambda place: (place[0], -1 if place[1] is None else place[1]))
            self.first = self._rows + row, column
        self.count += len(places)
        self._rows += len(rows)

    @property
    def first_place(self) -> str | None:
        """Where the first one is: rows count from 0, as in all messages on records."""
        if self.first is None:
            return None
        row, column = self.first
        return f"row {row}, label" if column is None else f"row {row}, feature {column}"


def _find_places(features: Array | SparseRows) -> Iterator[tuple[int, int | None]]:
    if isinstance(features, SparseRows):
        for position in np.flatnonzero(~np.isfinite(features.data)).tolist():
            row = int(np.searchsorted(features.indptr, position, "right")) - 1
            yield row, int(features.indices[position])
        return
    yield from ((row, column) for row, column in np.argwhere(~np.isfinite(features)).tolist())


@dataclass(frozen=True)
class ImageSummary:
    """A file of images: how many there are, of how many bytes, and how many of each class.

    `headers` counts records that have labels and no image.
    """

    images: int
    image_bytes: int
    classes: dict[tuple[float, ...], int]
    headers: int = 0


def summarize_rows(path: Path) -> TableSummary:
    """What is in a file of RecordIO-protobuf."""
    schema, count = None, 0
    extremes: list[float] = []
    watch = FiniteWatch()
    for rows in watch.watch(read_batches(path)):
        schema = schema or describe_rows(rows)
        count += len(rows)
        extremes = find_extremes(extremes, rows)
    if not schema:
        raise RecordIOError(f"{path}: has no records")
    return TableSummary(
        schema, count, min(extremes, default=None), max(extremes, default=None), watch.count, watch.first_place
    )


def find_extremes(extremes: list[float], rows: Rows) -> list[float]:
    """The lowest and highest label so far, of those that are finite."""
    labels = extremes
    if rows.labels is not None and len(finite := rows.labels[np.isfinite(rows.labels)]):
        labels = [*extremes, float(finite.min()), float(finite.max())]
    return [min(labels), max(labels)] if labels else []


def summarize_images(path: Path) -> ImageSummary:
    """What is in a `.rec` file of images."""
    classes: Counter[tuple[float, ...]] = Counter()
    size = headers = 0
    with ImageFile(path) as images:
        for record in images:
            if record.image:
                classes[record.labels] += 1
                size += len(record.image)
            else:
                headers += 1
    if not classes and not headers:
        raise RecordIOError(f"{path}: has no records")
    return ImageSummary(classes.total(), size, dict(sorted(classes.items())), headers)
