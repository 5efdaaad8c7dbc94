"""Tables of numbers read from RecordIO-protobuf, in bounded memory."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.dense import BLOCK_BYTES, DenseLayout
from headrace.recordio.framing import (
    HEADER,
    Frame,
    Part,
    Readable,
    RecordIOError,
    frame_piece,
    name_frame,
    read_frame,
    read_fully,
)
from headrace.recordio.inputs import open_file, read_again
from headrace.recordio.records import (
    TENSOR_NAME,
    Array,
    Tensor,
    TensorType,
    decode_record,
    refuse_frame,
    unpack_numbers,
)
from headrace.recordio.rows import Rows, Schema, SparseRows, check_sparse
from headrace.recordio.sparse import find_messages, read_sparse_block
from headrace.recordio.wire import Counts, WireError, count_varints, decode_varints

MOST_ROWS = 8192
MIXED = "a table has rows of one kind, width and type"


def read_rows(source: Path | Readable) -> Rows:
    """All rows of a file or stream."""
    if isinstance(source, Path):
        return read_file(source)
    return join_all(read_batches(source), "the stream")


def read_file(path: Path) -> Rows:
    """All rows of a file, in one go where they are alike."""
    with read_again(path):
        return read_uniform_file(path) or join_all(read_batches(path), str(path))


def join_all(batches: Iterator[Rows], name: str) -> Rows:
    """One table of all batches of what has this name."""
    found = list(batches)
    if not found:
        raise RecordIOError(f"{name}: has no records")
    return join_batches(found)


def read_batches(source: Path | Readable) -> Iterator[Rows]:
    """The rows of a file or stream, about a megabyte at a time, all of one kind, width and type.

    Raises:
        RecordIOError: A record is damaged or differs from those before; the message has its number and its first byte.
    """
    if isinstance(source, Path):
        with open_file(source) as file:
            yield from _Reader(file).read_batches()
    else:
        yield from _Reader(source).read_batches()


def read_uniform_file(path: Path) -> Rows | None:
    """All rows of a file in which every record has one layout; of others none, however they differ or are wrong."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        frame, _ = read_frame(file, 0, 0)
        layout = DenseLayout.of_record(decode_record(frame)) if frame else None
        if not layout or size % len(layout.template):
            return None
        file.seek(0)
        features, labels = layout.make_arrays(size // len(layout.template))
        block = np.empty(layout.block_rows * len(layout.template), np.uint8)
        for start in range(0, len(features), layout.block_rows):
            stop = min(start + layout.block_rows, len(features))
            part = block[: (stop - start) * len(layout.template)]
            if file.readinto(part.data) < len(part) or layout.count_matching(part) < stop - start:
                return None
            layout.read_block(part, features[start:stop], None if labels is None else labels[start:stop])
    return Rows(features, labels)


def join_batches(batches: Sequence[Rows]) -> Rows:
    """One table of the rows of several."""
    labels = [batch.labels for batch in batches if batch.labels is not None]
    sparse = [batch.features for batch in batches if isinstance(batch.features, SparseRows)]
    dense = [batch.features for batch in batches if not isinstance(batch.features, SparseRows)]
    return Rows(join_sparse(sparse) if sparse else np.concatenate(dense), np.concatenate(labels) if labels else None)


def join_sparse(parts: Sequence[SparseRows]) -> SparseRows:
    """One sparse matrix of the rows of several."""
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    return SparseRows(
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.indices for part in parts]),
        find_starts(counts),
        (len(counts), parts[0].shape[1]),
    )


def find_starts(counts: Counts) -> NDArray[np.int64]:
    """Where each row's numbers begin, and where the last row's end."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def assemble(frames: Sequence[Frame]) -> tuple[Schema, Rows]:
    """The rows of some records, and what they have in common."""
    found = [pick_tensors(frame) for frame in frames]
    kinds = [(features.is_sparse, features.type, label.type if label else None) for features, label in found]
    for frame, kind in zip(frames, kinds, strict=True):
        if kind != kinds[0]:
            raise RecordIOError(
                f"{name_frame(frame)}: is {describe_kind(kind)} after {describe_kind(kinds[0])}; {MIXED}"
            )
    sparse, tensor_type, label_type = kinds[0]
    tensors = [features for features, _ in found]
    try:
        features = gather_sparse(frames, tensors) if sparse else gather_dense(frames, tensors)
        labels = gather_labels(frames, [label for _, label in found if label])
    except WireError as error:
        raise locate_error(frames, found) from error
    return Schema(sparse, tensor_type, features.shape[1], label_type), Rows(features, labels)


def pick_tensors(frame: Frame) -> tuple[Tensor, Tensor | None]:
    """The only tensor of features in a record and that of its label, if there is one."""
    record = decode_record(frame)
    if list(record.features) != [TENSOR_NAME] or list(record.label) not in ([], [TENSOR_NAME]):
        names = ", ".join(map(repr, [*record.features, *record.label])) or "nothing"
        raise RecordIOError(
            f"{name_frame(frame)}: holds {names} instead of features and a label called {TENSOR_NAME!r}; "
            "read such records with read_records"
        )
    return record.features[TENSOR_NAME], record.label.get(TENSOR_NAME)


def describe_kind(kind: tuple[bool, TensorType, TensorType | None]) -> str:
    """A record's kind for people."""
    sparse, tensor_type, label_type = kind
    return f"{'sparse' if sparse else 'dense'} {tensor_type} with {label_type or 'no'} label"


def gather_dense(frames: Sequence[Frame], tensors: Sequence[Tensor]) -> Array:
    """The rows of dense tensors."""
    numbers, counts = gather_numbers(tensors)
    width = int(counts[0])
    require(counts == max(width, 1), frames, lambda row: f"has {counts[row]:,} features where the first has {width:,}")
    return numbers.reshape(len(tensors), width)


def gather_sparse(frames: Sequence[Frame], tensors: Sequence[Tensor]) -> SparseRows:
    """The rows of sparse tensors."""
    numbers, counts = gather_numbers(tensors)
    packed_keys, packed_shapes = [tensor.packed_keys for tensor in tensors], [tensor.packed_shape for tensor in tensors]
    key_counts = count_varints(packed_keys)
    require(key_counts == counts, frames, lambda row: f"has {key_counts[row]:,} keys for {counts[row]:,} values")
    dimensions = count_varints(packed_shapes)
    require(
        dimensions == 1, frames, lambda row: f"is sparse with {dimensions[row]} numbers as shape, not with its width"
    )
    widths = decode_varints(b"".join(packed_shapes))
    require(widths == widths[0], frames, lambda row: f"has the width {widths[row]:,} where the first has {widths[0]:,}")
    keys = decode_varints(b"".join(packed_keys)).astype(np.int64)
    rows = SparseRows(numbers, keys, find_starts(counts), (len(tensors), int(widths[0])))
    check_sparse(rows, lambda row: name_frame(frames[row]))
    return rows


def gather_labels(frames: Sequence[Frame], tensors: Sequence[Tensor]) -> Array | None:
    """The label of each record, if they have any."""
    if not tensors:
        return None
    numbers, counts = gather_numbers(tensors)
    require(counts == 1, frames, lambda row: f"has {counts[row]:,} labels; read such records with read_records")
    return numbers


def gather_numbers(tensors: Sequence[Tensor]) -> tuple[Array, Counts]:
    """The numbers of all tensors, which are of one type, end to end, and how many each has."""
    tensor_type = tensors[0].type
    packed = [tensor.packed_values for tensor in tensors]
    numbers = unpack_numbers(tensor_type, b"".join(packed))
    if tensor_type is TensorType.INT32:
        return numbers, count_varints(packed)
    return numbers, np.array([len(piece) for piece in packed], np.int64) // tensor_type.dtype.itemsize


def require(met: NDArray[np.bool_], frames: Sequence[Frame], explain: Callable[[int], str]) -> None:
    """Refuse the first record that does not meet a condition."""
    if not met.all():
        row = int(met.argmin())
        raise RecordIOError(f"{name_frame(frames[row])}: {explain(row)}; {MIXED}")


def locate_error(frames: Sequence[Frame], found: Sequence[tuple[Tensor, Tensor | None]]) -> RecordIOError:
    """The error of the first record with a number that has no end."""
    for frame, tensors in zip(frames, found, strict=True):
        try:
            for tensor in filter(None, tensors):
                _ = tensor.values, tensor.keys, tensor.shape
        except WireError as error:
            return refuse_frame(frame, error)
    raise AssertionError("all tensors can be unpacked")


def find_frame(first: Frame, content: bytes, row: int) -> Frame:
    """Where a row's record is, by the first of some records and their bytes; without its own bytes."""
    starts, _, _ = find_messages(content, row + 1)
    return Frame(first.number + row, first.offset + int(starts[row]) - HEADER.size, b"")


class _Source:
    """A stream of which something read can be put back."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._returned = io.BytesIO()

    def read(self, size: int, /) -> bytes:
        return self._returned.read(size) or self._stream.read(size)

    def put_back(self, content: bytes) -> None:
        self._returned = io.BytesIO(content + self._returned.read())


class _Reader:
    """Reads rows from a stream, the uniform ones through their layout and all others one by one."""

    def __init__(self, stream: Readable) -> None:
        self._source = _Source(stream)
        self._number = 0
        self._offset = 0
        self._schema: Schema | None = None

    def read_batches(self) -> Iterator[Rows]:
        while frame := self._read_frame():
            layout = DenseLayout.of_record(decode_record(frame))
            whole = frame_piece(Part.WHOLE, frame.payload)
            took = self._offset - frame.offset
            if layout and took == len(whole) and layout.count_matching(np.frombuffer(whole, np.uint8)):
                self._check_schema(Schema(False, layout.features, layout.width, layout.labels), frame)
                self._number, self._offset = frame.number, frame.offset
                self._source.put_back(whole)
                yield from self._read_uniform(layout)
            elif took == len(whole) and (rows := self._read_sparse(frame, whole)):
                yield rows
            else:
                yield self._read_varied(frame)

    def _read_frame(self) -> Frame | None:
        frame, size = read_frame(self._source, self._number, self._offset)
        if frame:
            self._number, self._offset = self._number + 1, self._offset + size
        return frame

    def _read_uniform(self, layout: DenseLayout) -> Iterator[Rows]:
        size = len(layout.template)
        while True:
            content = read_fully(self._source, layout.block_rows * size)
            block = np.frombuffer(content, np.uint8)
            rows = layout.count_matching(block)
            if rows:
                features, labels = layout.make_arrays(rows)
                layout.read_block(block, features, labels)
                yield Rows(features, labels)
            self._number, self._offset = self._number + rows, self._offset + rows * size
            if rows < layout.block_rows:
                self._source.put_back(content[rows * size :])
                return

    def _read_sparse(self, first: Frame, whole: bytes) -> Rows | None:
        """The sparse rows from a record on, or none of records that have to be read one by one."""
        content = whole + read_fully(self._source, max(0, BLOCK_BYTES - len(whole)))
        block = read_sparse_block(content, MOST_ROWS)
        if block is None:
            self._source.put_back(content[len(whole) :])
            return None
        self._check_schema(Schema(True, block.features, block.width, block.labels), first)
        rows = SparseRows(block.data, block.keys, find_starts(block.counts), (len(block.counts), block.width))
        check_sparse(rows, lambda row: name_frame(find_frame(first, content, row)))
        self._number, self._offset = first.number + len(block.counts), first.offset + block.end
        self._source.put_back(content[block.end :])
        return Rows(rows, block.label_values)

    def _read_varied(self, first: Frame) -> Rows:
        frames, size = [first], len(first.payload)
        while len(frames) < MOST_ROWS and size < BLOCK_BYTES and (frame := self._read_frame()):
            frames.append(frame)
            size += len(frame.payload)
        schema, rows = assemble(frames)
        self._check_schema(schema, frames[0])
        return rows

    def _check_schema(self, schema: Schema, frame: Frame) -> None:
        self._schema = self._schema or schema
        if schema != self._schema:
            raise RecordIOError(f"{name_frame(frame)}: switches to {schema} after {self._schema}; {MIXED}")
