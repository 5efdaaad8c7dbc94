"""Tables of numbers written as RecordIO-protobuf."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from headrace.files import whole_file
from headrace.recordio.dense import DenseLayout
from headrace.recordio.framing import RecordIOError
from headrace.recordio.ragged import Lists, encode_ragged
from headrace.recordio.records import Array, TensorType
from headrace.recordio.rows import Rows, Schema, SparseMatrix, SparseRows, check_sparse, describe_rows
from headrace.recordio.wire import Bytes

# Bound the memory that rows of differing length take on their way.
MOST_ROWS = 8192
MOST_NUMBERS = 1 << 17


def write_rows(
    target: Path | BinaryIO, features: Array | SparseMatrix | SparseRows, labels: Array | None = None
) -> None:
    """Write a table of numbers.

    Args:
        target: A file's path, which appears whole or not at all, or an open file or pipe.
        features: A two-dimensional array, or a SciPy matrix of any sparse format, of float32, float64 or whole numbers
            of 32 bits. The linear learner wants float32.
        labels: A number for each row.

    Example:
        >>> from io import BytesIO
        >>> from headrace.recordio import read_rows
        >>> file = BytesIO()
        >>> write_rows(file, np.array([[1, 2]], np.float32), np.array([3], np.float32))
        >>> read_rows(BytesIO(file.getvalue()))
        Rows(features=array([[1., 2.]], dtype=float32), labels=array([3.], dtype=float32))
    """
    rows = features if isinstance(features, np.ndarray | SparseRows) else SparseRows.of_matrix(features)
    write_batches(target, [Rows(rows, labels)])


def write_batches(target: Path | BinaryIO, batches: Iterable[Rows]) -> int:
    """Write a table of numbers that comes in batches, and return how many rows it has.

    Args:
        target: A file's path, which appears whole or not at all, or an open file or pipe.
        batches: All of one kind, width and type.
    """
    if isinstance(target, Path):
        with whole_file(target) as partial, partial.open("wb") as file:
            return write_batches(file, batches)
    count, first = 0, None
    for batch in batches:
        schema = describe_rows(batch)
        first = first or schema
        if schema != first:
            raise RecordIOError(f"row {count}: switches to {schema} after {first}; give all rows the same")
        for block in encode_rows(batch, schema, count):
            target.write(block.data)
        count += len(batch)
    return count


def encode_rows(rows: Rows, schema: Schema, first_row: int) -> Iterator[Bytes]:
    """Rows as records, many at a time; each block is valid until the next."""
    if isinstance(rows.features, SparseRows):
        check_sparse(rows.features, lambda row: f"row {first_row + row}")
        return encode_sparse(rows.features, rows.labels, schema)
    if TensorType.INT32 in (schema.type, schema.labels):
        return encode_varied(rows.features, rows.labels, schema)
    return DenseLayout(schema.width, schema.type, schema.labels).write_blocks(rows.features, rows.labels)


def encode_sparse(features: SparseRows, labels: Array | None, schema: Schema) -> Iterator[Bytes]:
    """Sparse rows as records."""
    start = 0
    while start < features.shape[0]:
        last = int(np.searchsorted(features.indptr, features.indptr[start] + MOST_NUMBERS, "right")) - 1
        stop = min(max(last, start + 1), start + MOST_ROWS, features.shape[0])
        begin, end = features.indptr[start], features.indptr[stop]
        counts = np.diff(features.indptr[start : stop + 1])
        values = Lists(schema.type, features.data[begin:end], counts)
        keys = features.indices[begin:end].astype(np.uint64)
        yield encode_ragged(values, select_labels(labels, schema, start, stop), keys, schema.width)
        start = stop


def encode_varied(features: Array, labels: Array | None, schema: Schema) -> Iterator[Bytes]:
    """Dense rows as records, of which features or labels are whole numbers."""
    step = min(MOST_ROWS, max(1, MOST_NUMBERS // schema.width))
    for start in range(0, len(features), step):
        rows = features[start : start + step]
        values = Lists(schema.type, rows.reshape(-1), np.full(len(rows), schema.width))
        yield encode_ragged(values, select_labels(labels, schema, start, start + len(rows)))


def select_labels(labels: Array | None, schema: Schema, start: int, stop: int) -> Lists | None:
    """The labels of some rows."""
    if labels is None or schema.labels is None:
        return None
    return Lists(schema.labels, labels[start:stop], np.ones(stop - start, np.int64))
