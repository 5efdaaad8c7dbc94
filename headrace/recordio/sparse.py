"""Sparse rows of floating point numbers, read many at a time.

Their records differ in length, so none has the layout of another. But all have the same fields in the same order, so a
field is read in all of them at once: where it begins is an array with a position for each record. Whatever is not as
usual, damage included, is left to be read record by record, which finds what is wrong and where.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.framing import ALIGNMENT, HEADER, MAGIC
from headrace.recordio.records import (
    FEATURES,
    KEYS,
    LABEL,
    LIST_TAGS,
    SHAPE,
    TYPES_BY_TAG,
    USUAL_START,
    VALUES,
    Array,
    TensorType,
)
from headrace.recordio.wire import Bytes, Counts, WireError, count_numbers, decode_varints, encode_tag

Positions = NDArray[np.int64]
# What is read in vain behind the last record: the start of an entry, and lengths of four bytes, enough for any block.
MARGIN = 64
LONGEST_LENGTH = 4


@dataclass(frozen=True)
class SparseBlock:
    """The rows of some records, and where the bytes after them begin."""

    features: TensorType
    labels: TensorType | None
    width: int
    data: Array
    keys: Positions
    counts: Counts
    label_values: Array | None
    end: int


@dataclass(frozen=True)
class _Tensors:
    """Where the lists of a tensor begin in each record, and their bytes: 0 of those that are left out."""

    type: TensorType
    starts: dict[int, Positions]
    sizes: dict[int, Counts]


class _UnusualError(Exception):
    """Records that have to be read one by one."""


def read_sparse_block(content: bytes, most: int) -> SparseBlock | None:
    """The rows of the whole records at the beginning of some bytes, a number at most; none if one is not as usual."""
    starts, lengths, end = find_messages(content, most)
    # What else was read is read again, so that few records would cost as much as many.
    if not len(starts) or (len(starts) < most and end < len(content) // 2):
        return None
    try:
        return _read_messages(np.frombuffer(content + bytes(MARGIN), np.uint8), starts, lengths, end)
    except (_UnusualError, WireError):
        return None


def find_messages(content: bytes, most: int) -> tuple[Positions, Counts, int]:
    """Where the messages of whole records begin, their lengths, and where the first byte after those records is."""
    words = np.frombuffer(content, "<u4", len(content) // ALIGNMENT)
    starts = np.flatnonzero(words[:-1] == int.from_bytes(MAGIC, "little"))[: most + 1] * ALIGNMENT
    lengths = words[starts // ALIGNMENT + 1].astype(np.int64)
    # A record in parts has their numbers above the length, which then is beyond any block.
    ends = starts + HEADER.size + lengths + -lengths % ALIGNMENT
    # Some writers leave a record whole that has the magic number in it; what follows is read next time.
    follow = np.flatnonzero(starts != np.concatenate(([0], ends[:-1])))
    count = min(int(follow[0]) if len(follow) else len(starts), most)
    count -= bool(count and ends[count - 1] > len(content))
    end = int(ends[count - 1]) if count else 0
    return starts[:count] + HEADER.size, lengths[:count], end


def _read_messages(raw: Bytes, starts: Positions, lengths: Counts, end: int) -> SparseBlock:
    ends = starts + lengths
    cursor = _Cursor(raw, starts, ends)
    features = cursor.read_entry(FEATURES)
    labels = None if (cursor.position == ends).all() else cursor.read_entry(LABEL)
    _require(cursor.position == ends)
    data, counts = _gather_floats(raw, features)
    keys, key_counts = _gather_varints(raw, features, KEYS)
    widths, width_counts = _gather_varints(raw, features, SHAPE)
    _require((key_counts == counts) & (width_counts == 1))
    _require(widths == widths[0])
    label_values, label_counts = _gather_floats(raw, labels) if labels else (None, np.ones(1))
    _require(label_counts == 1)
    label_type = labels.type if labels else None
    return SparseBlock(features.type, label_type, int(widths[0]), data, keys, counts, label_values, end)


class _Cursor:
    """A position in each of some messages, from where the next field is read."""

    def __init__(self, raw: Bytes, position: Positions, limits: Positions) -> None:
        self._raw = raw
        self._limits = limits
        self.position = position

    def read_entry(self, field: int) -> _Tensors:
        """The only tensor of the features, or of the label."""
        self._expect(encode_tag(field))
        ends = [self._read_end()]
        self._expect(USUAL_START)
        ends.append(self._read_end())
        tensor_type = TYPES_BY_TAG.get(self._raw[self.position[0]].tobytes())
        if tensor_type is None or tensor_type is TensorType.INT32:
            raise _UnusualError
        self._expect(encode_tag(tensor_type.field))
        ends.append(self._read_end())
        starts, sizes = dict[int, Positions](), dict[int, Counts]()
        for number, tag in LIST_TAGS:
            starts[number], sizes[number] = self._read_list(tag, ends[0])
        for end in ends:
            _require(self.position == end)
        return _Tensors(tensor_type, starts, sizes)

    def _expect(self, text: bytes) -> None:
        for byte in text:
            _require(self._raw[self.position] == byte)
            self.position = self.position + 1

    def _read_end(self) -> Positions:
        """Where a field ends that begins with its length."""
        length = self._read_length(np.ones(len(self.position), np.bool_))
        # A damaged length leads out of its message, and out of the block.
        _require(self.position + length <= self._limits)
        return self.position + length

    def _read_list(self, tag: int, end: Positions) -> tuple[Positions, Counts]:
        has_list = (self.position < end) & (self._raw[self.position] == tag)
        self.position = self.position + has_list
        size = self._read_length(has_list)
        start = self.position
        self.position = start + size
        _require(self.position <= end)
        return start, size

    def _read_length(self, present: NDArray[np.bool_]) -> Counts:
        """A length in the messages that have one, and 0 in the others."""
        length = np.zeros(len(self.position), np.int64)
        for index in range(LONGEST_LENGTH):
            byte = self._raw[self.position]
            length |= np.where(present, byte & 0x7F, 0).astype(np.int64) << 7 * index
            self.position = self.position + present
            present = present & (byte >= 0x80)
            if not present.any():
                return length
        raise _UnusualError


def _require(met: NDArray[np.bool_]) -> None:
    if not met.all():
        raise _UnusualError


def _gather_floats(raw: Bytes, tensors: _Tensors) -> tuple[Array, Counts]:
    """The values of all tensors, and how many each has."""
    dtype = tensors.type.dtype
    counts, rest = np.divmod(tensors.sizes[VALUES], dtype.itemsize)
    _require(rest == 0)
    # Lists begin anywhere, so a number is seen at every byte.
    at_each_byte: Array = np.ndarray(len(raw) - dtype.itemsize + 1, dtype, raw.data, strides=(1,))
    return at_each_byte[_spread(tensors.starts[VALUES], counts, dtype.itemsize)], counts


def _gather_varints(raw: Bytes, tensors: _Tensors, number: int) -> tuple[Positions, Counts]:
    """The numbers of a list of all tensors, and how many each has."""
    sizes = tensors.sizes[number]
    packed = raw[_spread(tensors.starts[number], sizes, 1)]
    ends = np.cumsum(sizes)
    _require(packed[ends[sizes > 0] - 1] < 0x80)
    return decode_varints(packed).astype(np.int64), count_numbers(packed, ends)


def _spread(starts: Positions, counts: Counts, step: int) -> Positions:
    """The positions of as many items as there are from each start."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before * step, counts) + np.arange(int(counts.sum())) * step
