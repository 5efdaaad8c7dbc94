"""Dense rows of floating point numbers: as all have one layout, they are copied into and out of a template."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.framing import HEADER
from headrace.recordio.records import (
    FEATURES,
    TENSOR_NAME,
    Array,
    Record,
    Tensor,
    TensorType,
    encode_entry,
    encode_record,
    frame_message,
)
from headrace.recordio.wire import Bytes, encode_field

# Large enough to make calls cheap, small enough to stay in a core's cache.
BLOCK_BYTES = 1 << 21
# A record is a multiple of four bytes, so that these are whole pages of 4 KiB; files take those faster.
PAGE_ROWS = 1024
WORD = np.dtype("<u8")


@dataclass(frozen=True)
class DenseLayout:
    """The layout that all records of one width and of these types have."""

    width: int
    features: TensorType
    labels: TensorType | None

    @classmethod
    def of_record(cls, record: Record) -> Self | None:
        """The layout of a record, if it is a row of floating point numbers with one such label or none."""
        features, label = record.features.get(TENSOR_NAME), record.label.get(TENSOR_NAME)
        if features is None or not features.packed_values or features.packed_keys or features.packed_shape:
            return None
        label_type = label.type if label else None
        if TensorType.INT32 in (features.type, label_type):
            return None
        return cls(len(features.packed_values) // features.type.dtype.itemsize, features.type, label_type)

    @cached_property
    def template(self) -> bytes:
        """A whole record with its header and padding, of zeros."""
        label = {} if self.labels is None else {TENSOR_NAME: Tensor.pack(np.zeros(1, self.labels.dtype))}
        return frame_message(encode_record(Record({TENSOR_NAME: self._zeros}, label)))

    @cached_property
    def block_rows(self) -> int:
        """How many records are handled at a time."""
        rows = BLOCK_BYTES // len(self.template)
        return rows // PAGE_ROWS * PAGE_ROWS or max(1, rows)

    @cached_property
    def _zeros(self) -> Tensor:
        return Tensor.pack(np.zeros(self.width, self.features.dtype))

    @cached_property
    def _features_end(self) -> int:
        # A packed list of values comes last in its message, and that last in the field of features.
        return HEADER.size + len(encode_field(FEATURES, encode_entry(TENSOR_NAME, self._zeros)))

    @cached_property
    def _features_start(self) -> int:
        return self._features_end - self.width * self.features.dtype.itemsize

    @cached_property
    def _label_start(self) -> int:
        _, length = HEADER.unpack_from(self.template)
        return HEADER.size + int(length) - (self.labels.dtype.itemsize if self.labels else 0)

    def write_blocks(self, features: Array, labels: Array | None) -> Iterator[Bytes]:
        """Rows as bytes of records; each block is valid until the next."""
        size = len(self.template)
        block = np.tile(np.frombuffer(self.template, np.uint8), self.block_rows)
        for start in range(0, len(features), self.block_rows):
            rows = features[start : start + self.block_rows]
            self._view_features(block, len(rows))[:] = as_single_items(rows.astype(self.features.dtype, copy=False))
            if labels is not None and self.labels:
                self._view_labels(block, len(rows), self.labels)[:] = labels[start : start + self.block_rows]
            yield block[: len(rows) * size]

    def count_matching(self, block: Bytes) -> int:
        """How many records at the beginning of some bytes have this layout."""
        size = len(self.template)
        rows = len(block) // size
        matching = np.ones(rows, np.bool_)
        for start, end in self._fixed_ranges():
            for position, dtype in cover(start, end):
                expected = np.frombuffer(self.template, dtype, 1, position)
                matching &= np.ndarray(rows, dtype, block.data, position, size) == expected
        return rows if matching.all() else int(matching.argmin())

    def make_arrays(self, rows: int) -> tuple[Array, Array | None]:
        """Features and labels of a number of rows, to be filled."""
        features = np.empty((rows, self.width), self.features.dtype)
        return features, np.empty(rows, self.labels.dtype) if self.labels else None

    def read_block(self, block: Bytes, features: Array, labels: Array | None) -> None:
        """Fill features and labels from as many records, which have this layout."""
        as_single_items(features)[:] = self._view_features(block, len(features))
        if labels is not None and self.labels:
            labels[:] = self._view_labels(block, len(features), self.labels)

    def _fixed_ranges(self) -> list[tuple[int, int]]:
        """From where to where all records have the same bytes."""
        label_end = self._label_start + (self.labels.dtype.itemsize if self.labels else 0)
        return [(0, self._features_start), (self._features_end, self._label_start), (label_end, len(self.template))]

    def _view_features(self, block: Bytes, rows: int) -> NDArray[np.void]:
        # One item per row is copied several times faster than `width` numbers.
        item = f"V{self.width * self.features.dtype.itemsize}"
        return np.ndarray(rows, item, block.data, self._features_start, len(self.template))

    def _view_labels(self, block: Bytes, rows: int, labels: TensorType) -> Array:
        return np.ndarray(rows, labels.dtype, block.data, self._label_start, len(self.template))


def as_single_items(rows: Array) -> NDArray[np.void]:
    """Rows as one item of bytes each."""
    contiguous = np.ascontiguousarray(rows)
    return contiguous.view(f"V{contiguous.itemsize * contiguous.shape[1]}")[:, 0]


def cover(start: int, end: int) -> list[tuple[int, np.dtype[Any]]]:
    """Positions and types of numbers that together cover a range of bytes."""
    if end - start < WORD.itemsize:
        return [(position, np.dtype(np.uint8)) for position in range(start, end)]
    return [(min(position, end - WORD.itemsize), WORD) for position in range(start, end, WORD.itemsize)]
