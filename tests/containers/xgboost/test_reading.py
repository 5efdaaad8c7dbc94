"""Every content type of the built-in XGBoost brings the same rows."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse

from containers.shared.job.training_failures import TrainingDataError
from containers.xgboost.reading import read_dataset
from headrace.recordio import SparseRows, write_rows

LABELS = np.array([1, 0, 2], np.float32)
FEATURES = np.array([[0.5, 0, 3], [0, 2, 0], [0, 0, 7]], np.float32)


def test_reads_parquet_with_the_label_in_its_first_column(tmp_path: Path) -> None:
    pl.DataFrame(np.column_stack([LABELS, FEATURES])).write_parquet(tmp_path / "rows.parquet")

    data = read_dataset(tmp_path, "application/x-parquet")

    assert np.array_equal(data.labels, LABELS)
    assert np.array_equal(data.features, FEATURES)


@pytest.mark.parametrize("features", [FEATURES, SparseRows.of_matrix(scipy.sparse.csr_array(FEATURES))])
def test_reads_recordio_dense_and_sparse(tmp_path: Path, features: np.ndarray | SparseRows) -> None:
    write_rows(tmp_path / "rows.rec", features, LABELS)

    data = read_dataset(tmp_path, "application/x-recordio-protobuf")

    found = data.features.toarray() if scipy.sparse.issparse(data.features) else data.features
    assert np.array_equal(data.labels, LABELS)
    assert np.array_equal(found, FEATURES)


def test_reads_an_empty_cell_as_a_missing_value(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,,3\n0, 2,\n")

    data = read_dataset(tmp_path, "text/csv; charset=utf-8")

    assert np.isnan(data.features).tolist() == [[True, False], [False, True]]
    assert data.features[1, 0] == 2


def test_reads_all_files_in_the_order_of_their_names_but_hidden_ones(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("2,0\n")
    (tmp_path / "a.csv").write_text("1,0\n")
    (tmp_path / ".hidden").write_text("no rows")
    (tmp_path / "_SUCCESS").write_text("no rows")

    assert read_dataset(tmp_path, "text/csv").labels.tolist() == [1, 2]


def test_widens_sparse_rows_of_files_that_know_fewer_columns(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1 0:5\n")
    (tmp_path / "b").write_text("0 3:5 # the last column\n\n")

    assert read_dataset(tmp_path, "text/libsvm").features.shape == (2, 4)


@pytest.mark.parametrize(
    ("content_type", "content", "problem"),
    [
        ("text/csv", b"", "channel '{}' has no rows in rows"),
        ("application/x-parquet", b"1,2", "channel '{}', rows: not a Parquet file of numbers"),
        ("application/x-recordio-protobuf", b"1,2,3,4,5", "channel '{}', rows: "),
        ("text/libsvm", b"1 1_0:5", "channel '{}', rows: line 1: '1 1_0:5' is not libsvm: expected ASCII characters"),
        ("text/libsvm", "1 0:٤".encode(), "channel '{}', rows: line 1: '1 0:٤' is not libsvm: expected ASCII"),
        ("text/libsvm", b"1e39 0:5", "channel '{}', row 1: the label is not a finite number"),
    ],
)
def test_names_the_file_that_it_cannot_read(tmp_path: Path, content_type: str, content: bytes, problem: str) -> None:
    (tmp_path / "rows").write_bytes(content)

    with pytest.raises(TrainingDataError) as refused:
        read_dataset(tmp_path, content_type)

    assert str(refused.value).startswith(problem.format(tmp_path.name))


def test_refuses_files_of_different_widths(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "b.csv").write_text("1,2,3\n")

    with pytest.raises(TrainingDataError, match=r"has files of 1 and 2 features \(a.csv, b.csv\)"):
        read_dataset(tmp_path, "text/csv")
