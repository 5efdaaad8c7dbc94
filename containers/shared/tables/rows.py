"""Rows of numbers as they come in a channel or in a request."""

import tempfile
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from headrace.recordio.reading import read_rows
from headrace.recordio.rows import SparseRows

# Dense numbers, or a sparse matrix by rows.
Features = Any


class BadRowsError(Exception):
    """Rows that cannot be read; the message says where and why."""


def to_floats(numbers: Any) -> NDArray[np.float32]:
    """Numbers in 32 bits; those that are too large are infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(numbers, np.float32)


def to_matrix(features: Any) -> Features:
    """The features of records: an array, or SciPy's matrix by rows."""
    if isinstance(features, SparseRows):
        parts = (to_floats(features.data), features.indices, features.indptr)
        return scipy.sparse.csr_matrix(parts, features.shape)
    return to_floats(features)


def parse_recordio(body: bytes) -> Features:
    """The features of a body in RecordIO-protobuf, without labels."""
    # The reader goes back and forth, and wants a file for that.
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        return to_matrix(read_rows(file).features)
