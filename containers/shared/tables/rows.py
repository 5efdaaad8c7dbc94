"""Rows of numbers as they come in a channel or in a request."""

import tempfile
from typing import Any

import numpy as np
import scipy.sparse

from headrace.recordio.reading import read_rows
from headrace.recordio.rows import SparseRows

# Dense numbers, or a sparse matrix by rows.
Features = Any


class BadRowsError(Exception):
    """Rows that cannot be read; the message says where and why."""


def to_matrix(features: Any) -> Features:
    """The features of records: an array, or SciPy's matrix by rows."""
    if isinstance(features, SparseRows):
        parts = (features.data.astype(np.float32), features.indices, features.indptr)
        return scipy.sparse.csr_matrix(parts, features.shape)
    return np.asarray(features, np.float32)


def parse_recordio(body: bytes) -> Features:
    """The features of a body in RecordIO-protobuf, without labels."""
    # The reader goes back and forth, and wants a file for that.
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        return to_matrix(read_rows(file).features)
