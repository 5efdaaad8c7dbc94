"""Tables of numbers: dense or sparse features, and a label for each row or none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.framing import RecordIOError
from headrace.recordio.records import Array, TensorType, find_type


class SparseMatrix(Protocol):
    """A SciPy matrix or array of any sparse format."""

    def tocsr(self) -> Any:
        """The same matrix by rows: `data`, `indices` and `indptr` and a `shape`."""


@dataclass(frozen=True)
class SparseRows:
    """A sparse matrix by rows; `scipy.sparse.csr_array((data, indices, indptr), shape)` takes its parts."""

    data: Array
    indices: NDArray[np.int64]
    indptr: NDArray[np.int64]
    shape: tuple[int, int]

    @classmethod
    def of_matrix(cls, matrix: SparseMatrix) -> Self:
        """The rows of a sparse matrix; values at one place are added up, as SciPy means them."""
        if not callable(getattr(matrix, "tocsr", None)):
            raise RecordIOError(f"features are a {type(matrix).__name__}; give a numpy array or a SciPy sparse matrix")
        if hasattr(matrix, "check_format"):
            _check_format(matrix)
        by_rows = _widen_whole_numbers(matrix).tocsr()
        if not by_rows.has_canonical_format:
            by_rows = by_rows.copy()
            by_rows.sum_duplicates()
        if len(by_rows.shape) != 2:
            raise RecordIOError(f"features have the shape {by_rows.shape}; give rows of one column or more")
        rows, width = by_rows.shape
        return cls(
            np.asarray(by_rows.data),
            np.asarray(by_rows.indices, np.int64),
            np.asarray(by_rows.indptr, np.int64),
            (int(rows), int(width)),
        )


def _check_format(matrix: Any) -> None:
    """Refuse parts that do not fit each other before SciPy, which trusts them, goes over them."""
    try:
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise RecordIOError(f"the sparse matrix's data, indices and indptr do not fit each other: {error}") from error


def _widen_whole_numbers(matrix: Any) -> Any:
    """Whole numbers in 64 bits: SciPy adds up what stands at one place in the numbers' own type, which may overflow."""
    return matrix.astype(np.int64) if np.dtype(matrix.dtype).kind in "iu" else matrix


@dataclass(frozen=True)
class Rows:
    """Features and labels of some rows."""

    features: Array | SparseRows
    labels: Array | None = None

    def __len__(self) -> int:
        return int(self.features.shape[0])


@dataclass(frozen=True)
class Schema:
    """What all rows of a file have in common."""

    sparse: bool
    type: TensorType
    width: int
    labels: TensorType | None

    def __str__(self) -> str:
        labels = f"{self.labels} labels" if self.labels else "no labels"
        return f"{'sparse' if self.sparse else 'dense'} {self.type} rows of width {self.width:,} with {labels}"


def describe_rows(rows: Rows) -> Schema:
    """What the rows have in common.

    Raises:
        RecordIOError: They cannot be written as they are.
    """
    features, labels = rows.features, rows.labels
    if len(features.shape) != 2 or features.shape[1] < 1:
        raise RecordIOError(f"features have the shape {features.shape}; give rows of one column or more")
    if labels is not None and labels.shape != (len(rows),):
        raise RecordIOError(f"labels have the shape {labels.shape}; give one for each of the {len(rows):,} rows")
    sparse = isinstance(features, SparseRows)
    return Schema(
        sparse,
        find_type("features", features.data if isinstance(features, SparseRows) else features),
        features.shape[1],
        None if labels is None else find_type("labels", labels),
    )


def check_sparse(rows: SparseRows, name_row: Callable[[int], str]) -> None:
    """Refuse keys that are beyond the width or twice in a row: what an algorithm makes of those is not defined.

    Args:
        rows: Sparse rows.
        name_row: What to call a row by its number.
    """
    count, width = rows.shape
    numbers = len(rows.indices)
    steps = np.diff(rows.indptr)
    if (
        len(steps) != count
        or len(rows.data) != numbers
        or rows.indptr[0]
        or rows.indptr[-1] != numbers
        or steps.min(initial=0) < 0
    ):
        raise RecordIOError("the sparse matrix's data, indices and indptr do not fit each other")
    owners = np.repeat(np.arange(count), steps)
    outside = (rows.indices < 0) | (rows.indices >= width)
    if outside.any():
        first = int(outside.argmax())
        raise RecordIOError(f"{name_row(int(owners[first]))}: key {rows.indices[first]} is beyond the width {width:,}")
    if np.all((np.diff(rows.indices) > 0) | (np.diff(owners) > 0)):
        return
    order = np.lexsort((rows.indices, owners))
    twice = (np.diff(owners[order]) == 0) & (np.diff(rows.indices[order]) == 0)
    if twice.any():
        first = int(order[twice.argmax()])
        raise RecordIOError(
            f"{name_row(int(owners[first]))}: key {rows.indices[first]} occurs twice; add its values up"
        )
