"""Made-up tables of every kind."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from headrace.recordio import Rows, SparseRows

from . import plain

WHOLE = st.integers(-(2**31), 2**31 - 1)
NUMBERS = {
    "f4": st.floats(width=32, allow_nan=True),
    "f8": st.floats(allow_nan=True),
    "i4": st.one_of(st.integers(-3, 200), WHOLE),
}
KINDS = st.sampled_from(sorted(NUMBERS))


@st.composite
def arrays(draw: st.DrawFn, kind: str, *shape: int) -> NDArray[Any]:
    size = int(np.prod(shape))
    return np.array(draw(st.lists(NUMBERS[kind], min_size=size, max_size=size)), f"<{kind}").reshape(shape)


@st.composite
def labels_of(draw: st.DrawFn, rows: int) -> NDArray[Any] | None:
    kind = draw(st.none() | KINDS)
    return None if kind is None else draw(arrays(kind, rows))


@st.composite
def dense_tables(draw: st.DrawFn) -> Rows:
    rows, width = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    return Rows(draw(arrays(draw(KINDS), rows, width)), draw(labels_of(rows)))


@st.composite
def sparse_tables(draw: st.DrawFn) -> Rows:
    width = draw(st.sampled_from([1, 7, 127, 128, 129, 70_000, 2**40]))
    keys = draw(st.lists(st.lists(st.integers(0, width - 1), unique=True, max_size=8), min_size=1, max_size=6))
    kind = draw(KINDS)
    numbers = draw(arrays(kind, sum(map(len, keys))))
    starts = np.cumsum([0, *map(len, keys)])
    indices = np.array([key for row in keys for key in row], np.int64)
    return Rows(SparseRows(numbers, indices, starts, (len(keys), width)), draw(labels_of(len(keys))))


def encode_plainly(rows: Rows) -> bytes:
    """The bytes that these rows should become."""
    labels = [None] * len(rows) if rows.labels is None else [encode_label(label) for label in rows.labels]
    return b"".join(
        plain.record(features, label) for features, label in zip(encode_features(rows.features), labels, strict=True)
    )


def encode_label(label: Any) -> bytes:
    return plain.entry(label.dtype.str[1:], [label.item()])


def encode_features(features: NDArray[Any] | SparseRows) -> list[bytes]:
    if isinstance(features, np.ndarray):
        return [plain.entry(features.dtype.str[1:], row.tolist()) for row in features]
    width, kind = features.shape[1], features.data.dtype.str[1:]
    parts = [slice(features.indptr[row], features.indptr[row + 1]) for row in range(features.shape[0])]
    return [plain.entry(kind, features.data[part].tolist(), features.indices[part].tolist(), width) for part in parts]


def assert_same(found: Rows, expected: Rows) -> None:
    """The same numbers, bit for bit, of the same types."""
    assert_same_array(found.labels, expected.labels)
    if isinstance(found.features, SparseRows) and isinstance(expected.features, SparseRows):
        assert found.features.shape == expected.features.shape
        for name in ("data", "indices", "indptr"):
            assert_same_array(getattr(found.features, name), getattr(expected.features, name))
    else:
        assert isinstance(found.features, np.ndarray)
        assert isinstance(expected.features, np.ndarray)
        assert_same_array(found.features, expected.features)


def assert_same_array(found: NDArray[Any] | None, expected: NDArray[Any] | None) -> None:
    if found is None or expected is None:
        assert found is expected
    else:
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert found.tobytes() == expected.tobytes()
