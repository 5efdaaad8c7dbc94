"""Rows whose records differ in length: sparse ones and whole numbers, encoded many at a time.

A message is put together from pieces. A piece is some bytes for each row, end to end; none for rows that leave it out.
Only in the end are the pieces of each row brought together, so every byte is moved once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.framing import ALIGNMENT, LONGEST, MAGIC, RecordIOError
from headrace.recordio.records import (
    FEATURES,
    KEYS,
    LABEL,
    MAP_KEY,
    MAP_VALUE,
    SHAPE,
    TENSOR_NAME,
    VALUES,
    Array,
    TensorType,
)
from headrace.recordio.wire import Bytes, Counts, Unsigned, encode_field, encode_tag, encode_varints

Present = NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """Some bytes of each row, end to end, and how many each row has."""

    content: Bytes
    sizes: Counts


Message = list[Piece]


@dataclass(frozen=True)
class Lists:
    """A list of numbers for each row: their type, all of them end to end, and how many each row has."""

    type: TensorType
    numbers: Array
    counts: Counts


def repeat_bytes(text: bytes, present: Present) -> Piece:
    """The same bytes for each row that has them."""
    content = np.tile(np.frombuffer(text, np.uint8), int(present.sum()))
    return Piece(content, present * np.int64(len(text)))


def sum_by_row(sizes: Counts, counts: Counts) -> Counts:
    """The sums of as many sizes as each row counts."""
    totals = np.concatenate(([0], np.cumsum(sizes)))
    ends = np.cumsum(counts)
    return np.asarray(totals[ends] - totals[ends - counts], np.int64)


def measure(message: Message) -> Counts:
    """How many bytes the message of each row has."""
    return np.asarray(sum(piece.sizes for piece in message), np.int64)


def pack_varints(numbers: Unsigned, counts: Counts) -> Piece:
    """Packed lists of varints."""
    content, sizes = encode_varints(numbers)
    return Piece(content, sum_by_row(sizes, counts))


def pack_values(lists: Lists) -> Piece:
    """Packed lists of a tensor's numbers."""
    if lists.type is TensorType.INT32:
        return pack_varints(lists.numbers.astype(np.int64).view(np.uint64), lists.counts)
    content = np.ascontiguousarray(lists.numbers, lists.type.dtype).view(np.uint8)
    return Piece(content, lists.counts * lists.type.dtype.itemsize)


def delimit(number: int, message: Message, present: Present) -> Message:
    """A field that holds a message or a list, for the rows that have it."""
    content, sizes = encode_varints(measure(message)[present].astype(np.uint64))
    length_sizes = np.zeros(len(present), np.int64)
    length_sizes[present] = sizes
    return [repeat_bytes(encode_tag(number), present), Piece(content, length_sizes), *message]


def delimit_list(number: int, packed: Piece) -> Message:
    """A field that holds a list, which rows with an empty one leave out."""
    return delimit(number, [packed], packed.sizes > 0)


def delimit_map(number: int, tensor_type: TensorType, tensor: Message) -> Message:
    """A map with one entry, the tensor."""
    everywhere = np.ones(len(tensor[0].sizes), np.bool_)
    name = repeat_bytes(encode_field(MAP_KEY, TENSOR_NAME.encode()), everywhere)
    value = delimit(MAP_VALUE, delimit(tensor_type.field, tensor, everywhere), everywhere)
    return delimit(number, [name, *value], everywhere)


def encode_ragged(values: Lists, labels: Lists | None, keys: Unsigned | None = None, width: int = 0) -> Bytes:
    """The records of some rows.

    Args:
        values: The features of each row.
        labels: One for each row.
        keys: Of sparse rows the positions of the values.
        width: Of sparse rows.
    """
    tensor = delimit_list(VALUES, pack_values(values))
    if keys is not None:
        everywhere = np.ones(len(values.counts), np.bool_)
        shape, _ = encode_varints(np.array([width], np.uint64))
        tensor += delimit_list(KEYS, pack_varints(keys, values.counts))
        tensor += delimit_list(SHAPE, repeat_bytes(shape.tobytes(), everywhere))
    message = delimit_map(FEATURES, values.type, tensor)
    if labels is not None:
        message += delimit_map(LABEL, labels.type, delimit_list(VALUES, pack_values(labels)))
    return join_rows(frame_rows(message))


def frame_rows(message: Message) -> Message:
    """The message of each row as a record with header and padding."""
    lengths = measure(message)
    if lengths.max(initial=0) > LONGEST:
        raise RecordIOError(f"a row of {lengths.max():,} bytes; RecordIO holds at most {LONGEST:,} in one record")
    padding = -lengths % ALIGNMENT
    return [
        repeat_bytes(MAGIC, np.ones(len(lengths), np.bool_)),
        Piece(lengths.astype("<u4").view(np.uint8), np.full(len(lengths), 4)),
        *message,
        Piece(np.zeros(int(padding.sum()), np.uint8), padding),
    ]


def join_rows(pieces: Sequence[Piece]) -> Bytes:
    """All pieces of the first row, then all of the second, and so on."""
    sizes = np.array([piece.sizes for piece in pieces])
    ends = np.cumsum(sizes.T).reshape(sizes.T.shape).T
    joined = np.empty(int(sizes.sum()), np.uint8)
    for piece, piece_ends in zip(pieces, ends, strict=True):
        move_bytes(piece, joined, piece_ends - piece.sizes)
    return joined


def move_bytes(piece: Piece, target: Bytes, starts: Counts) -> None:
    """Copy the bytes of each row to where they start in the target, those of one size at once."""
    own_starts = np.cumsum(piece.sizes) - piece.sizes
    for size, rows in group_by_size(piece.sizes):
        see_items(target, size)[starts[rows]] = see_items(piece.content, size)[own_starts[rows]]


def group_by_size(sizes: Counts) -> Iterator[tuple[int, slice | NDArray[np.int64]]]:
    """Each size but 0, and the rows that have it."""
    if not len(sizes) or (sizes == sizes[0]).all():
        yield from ((int(size), slice(None)) for size in sizes[:1] if size)
        return
    order = np.argsort(sizes, kind="stable")
    ordered = sizes[order]
    borders = np.flatnonzero(np.diff(ordered)) + 1
    for size, rows in zip(ordered[[0, *borders]].tolist(), np.split(order, borders), strict=True):
        if size:
            yield size, rows


def see_items(content: Bytes, size: int) -> NDArray[np.void]:
    """Bytes as items of a size, one beginning at each byte: numpy copies an item as fast as a number."""
    return np.ndarray(len(content) - size + 1, f"V{size}", content.data, strides=(1,))
