from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from numpy.typing import NDArray

from headrace.files import FileError
from headrace.recordio import RecordIOError, Rows, SparseRows, read_rows, write_batches, write_rows, writing

from . import tables

# Made with SageMaker's SDK 2.257.7: write_numpy_to_dense_tensor and write_spmatrix_to_sparse_tensor.
SDK_DENSE = "0a23d7ce2c0000000a160a0676616c756573120c120a0a080000c03f000000c012120a0676616c756573120812060a0400004040"
SDK_WHOLE = (
    "0a23d7ce2e0000000a1b0a0676616c75657312113a0f0a0d01feffffffffffffffff01ac02120f0a0676616c75657312053a030a01020000"
)
SDK_SPARSE = (
    "0a23d7ce320000000a180a0676616c756573120e120c0a040000c03f1201011a010312160a0676616c756573"
    "120c1a0a0a080000000000000840"
    "00000a23d7ce290000000a0f0a0676616c756573120512031a010312160a0676616c756573120c1a0a0a0800"
    "00000000000000000000"
)


def encode(features: Any, labels: NDArray[Any] | None = None) -> bytes:
    file = BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def restore(encoded: bytes) -> NDArray[Any]:
    features = read_rows(BytesIO(encoded)).features
    assert isinstance(features, SparseRows)
    matrix = scipy.sparse.csr_array((features.data, features.indices, features.indptr), shape=features.shape)
    restored: NDArray[Any] = matrix.toarray()
    return restored


def test_writes_floats_as_the_sdk_does() -> None:
    assert encode(np.array([[1.5, -2]], np.float32), np.array([3], np.float32)).hex() == SDK_DENSE


def test_writes_whole_numbers_as_the_sdk_does() -> None:
    assert encode(np.array([[1, -2, 300]]), np.array([2])).hex() == SDK_WHOLE


def test_writes_sparse_rows_as_the_sdk_does() -> None:
    matrix = scipy.sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0]], np.float32))

    assert encode(matrix, np.array([3.0, 0.0])).hex() == SDK_SPARSE


@pytest.mark.parametrize("sparse_format", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_writes_the_same_rows_of_every_sparse_format(sparse_format: str, kind: str, dtype: Any) -> None:
    dense = np.array([[1, 2, 0], [0, 3, 0], [0, 0, 0]], dtype)
    matrix = getattr(scipy.sparse, f"{sparse_format}_{kind}")(dense)

    assert restore(encode(matrix)).tolist() == dense.tolist()


def test_adds_up_values_at_one_place_and_sorts_keys() -> None:
    positions = ([0, 0, 1, 0], [2, 0, 1, 2])
    added = [[1, 0, 300], [0, 0, 0]]
    by_rows = scipy.sparse.csr_array((np.array([200, 1, 100, 0], np.uint8), [2, 0, 2, 1], [0, 3, 4]), shape=(2, 3))

    assert restore(encode(scipy.sparse.coo_array((np.array([200, 1, 0, 100], np.uint8), positions)))).tolist() == added
    assert restore(encode(by_rows)).tolist() == added


def test_refuses_a_matrix_whose_parts_do_not_fit_before_going_over_it() -> None:
    matrix = scipy.sparse.csr_array(np.eye(3))
    matrix.indices = np.array([0, 1, 9], np.int32)

    with pytest.raises(RecordIOError, match="data, indices and indptr do not fit each other"):
        encode(matrix)


@given(tables.dense_tables())
def test_writes_dense_rows_as_the_plain_way_does(rows: Rows) -> None:
    assert encode(rows.features, rows.labels) == tables.encode_plainly(rows)


@given(tables.sparse_tables())
def test_writes_sparse_rows_as_the_plain_way_does(rows: Rows) -> None:
    assert encode(rows.features, rows.labels) == tables.encode_plainly(rows)


@pytest.mark.parametrize("width", [1, 11, 128, 2047, 2048, 5_000, 530_000])
@pytest.mark.parametrize("labels", [np.float64, None])
def test_writes_rows_of_every_length(width: int, labels: Any) -> None:
    features = np.linspace(-1, 1, 3 * width, dtype=np.float32).reshape(3, width)
    rows = Rows(features, None if labels is None else np.arange(3, dtype=labels))

    assert encode(rows.features, rows.labels) == tables.encode_plainly(rows)


@pytest.mark.parametrize(
    "features", [np.zeros((5000, 200), np.float32), np.ones((3, 400), np.int32)], ids=["floats", "whole"]
)
def test_writes_more_rows_than_are_handled_at_a_time(features: NDArray[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_NUMBERS", 800)

    assert encode(features) == tables.encode_plainly(Rows(features[:1])) * len(features)


def test_writes_more_sparse_rows_than_are_handled_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = scipy.sparse.csr_array(np.diag(np.arange(1, 30, dtype=np.float32)))
    whole = encode(matrix)

    monkeypatch.setattr(writing, "MOST_NUMBERS", 4)
    monkeypatch.setattr(writing, "MOST_ROWS", 3)

    assert encode(matrix) == whole


@pytest.mark.parametrize(
    "features",
    [
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.arange(12, dtype=np.float32).reshape(2, 6)[:, ::2] / 2,
        np.arange(6, dtype=">f4").reshape(2, 3),
    ],
)
def test_writes_arrays_however_they_lie_in_memory(features: NDArray[np.float32]) -> None:
    assert encode(features) == encode(np.arange(6, dtype=np.float32).reshape(2, 3))


def test_keeps_the_bits_of_every_not_a_number() -> None:
    bits = np.array([[0x7FC00000, 0x7F800001, 0xFFC12345]], np.uint32)

    found = read_rows(BytesIO(encode(bits.view(np.float32)))).features

    assert isinstance(found, np.ndarray)
    assert found.view(np.uint32).tolist() == bits.tolist()


def test_writes_nothing_for_no_rows() -> None:
    assert encode(np.empty((0, 3), np.float32)) == b""


def test_counts_the_rows_of_all_batches() -> None:
    batch = Rows(np.zeros((3, 2), np.float32))

    assert write_batches(BytesIO(), [batch, batch]) == 6


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros(3), None, "features have the shape (3,); give rows of one column or more"),
        (np.zeros((3, 0)), None, "features have the shape (3, 0); give rows of one column or more"),
        (np.zeros((3, 2)), np.zeros(2), "labels have the shape (2,); give one for each of the 3 rows"),
        (np.zeros((3, 2)), np.zeros((3, 1)), "labels have the shape (3, 1); give one for each of the 3 rows"),
        (np.zeros((3, 2), np.float16), None, "features are float16; give float32, float64 or whole numbers"),
        (np.zeros((3, 2), np.bool_), None, "features are bool; give float32, float64 or whole numbers"),
        (np.zeros((3, 2)), np.array(["a"] * 3), "labels are <U1; give float32, float64 or whole numbers"),
        (np.full((3, 2), 2**31), None, "features have whole numbers beyond 32 bits; give them as float64"),
        ([[1.0]], None, "features are a list; give a numpy array or a SciPy sparse matrix"),
        (scipy.sparse.coo_array(np.ones(3)), None, "features have the shape (3,); give rows of one column or more"),
        (scipy.sparse.csc_array(np.eye(2, dtype=bool)), None, "features are bool; give float32, float64 or whole"),
        (scipy.sparse.coo_array(np.full((1, 1), 2**31)), None, "features have whole numbers beyond 32 bits"),
        (SparseRows(np.ones(2), np.array([1, 1]), np.array([0, 2]), (1, 3)), None, "row 0: key 1 occurs twice; "),
        (
            SparseRows(np.ones(3), np.array([2, 1, 2]), np.array([0, 0, 3]), (2, 3)),
            None,
            "row 1: key 2 occurs twice; ",
        ),
        (
            SparseRows(np.ones(2), np.array([1, 3]), np.array([0, 1, 2]), (2, 3)),
            None,
            "row 1: key 3 is beyond the width 3",
        ),
        (SparseRows(np.ones(1), np.array([-1]), np.array([0, 1]), (1, 3)), None, "row 0: key -1 is beyond the width 3"),
        (
            SparseRows(np.ones(1), np.array([1]), np.array([0, 2]), (1, 3)),
            None,
            "the sparse matrix's data, indices and ",
        ),
    ],
)
def test_refuses_what_cannot_be_written(features: Any, labels: Any, message: str) -> None:
    with pytest.raises(RecordIOError) as raised:
        encode(features, labels)

    assert str(raised.value).startswith(message)


def test_leaves_no_file_when_a_batch_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "train.pbr"
    batches = [Rows(np.zeros((3, 2), np.float32)), Rows(np.zeros((3, 4), np.float32))]

    with pytest.raises(
        RecordIOError, match=r"^row 3: switches to dense float32 rows of width 4 with no labels after dense"
    ):
        write_batches(path, batches)

    assert list(tmp_path.iterdir()) == []


def test_keeps_the_file_that_was_there_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "train.pbr"
    path.write_bytes(b"before")

    with pytest.raises(RecordIOError):
        write_rows(path, np.zeros((3, 2), np.float16))

    assert path.read_bytes() == b"before"


def test_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FileError, match=r"file/train\.pbr: (Not a directory|File exists)$"):
        write_rows(tmp_path / "file" / "train.pbr", np.zeros((1, 1)))
