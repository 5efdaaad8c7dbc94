"""pandas, polars, s3fs and scipy find S3 where this library finds it."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.io

from headrace import data
from tests.headrace.data.buckets import Bucket


@pytest.fixture(params=["s3", pytest.param("folder")])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for data: in S3, and its twin on this machine."""
    if request.param == "folder":
        return str(tmp_path)
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket.uri


@pytest.fixture
def sales(place: str) -> str:
    """The address of a small table."""
    address = f"{place}/sales.csv"
    data.write_bytes(address, b"item,price\nFDA15,249.8\nDRC01,48.3\n")
    return address


@pytest.mark.slow
def test_pandas_reads_and_writes(place: str, sales: str) -> None:
    table = pd.read_csv(sales, storage_options=data.storage_options(sales))
    table.to_csv(f"{place}/copy.csv", index=False, storage_options=data.storage_options(place))

    assert table["price"].to_list() == [249.8, 48.3]
    assert data.read_bytes(f"{place}/copy.csv") == data.read_bytes(sales)


@pytest.mark.slow
def test_polars_reads_scans_and_writes(place: str, sales: str) -> None:
    options = data.storage_options(sales)

    table = pl.read_csv(sales, storage_options=options)
    table.write_parquet(f"{place}/sales.parquet", storage_options=options)

    assert pl.scan_parquet(f"{place}/sales.parquet", storage_options=options).collect().equals(table)


@pytest.mark.slow
def test_fsspec_opens_and_lists(place: str, sales: str) -> None:
    files = data.file_system(place)

    with files.open(sales) as file:
        assert file.readline() == b"item,price\n"
    assert [Path(found).name for found in files.ls(place)] == ["sales.csv"]


@pytest.mark.slow
def test_scipy_loads_a_matrix_from_a_stream_and_from_a_temporary_file(place: str, tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "own.mat", {"signal": np.arange(4)})
    data.replicate(tmp_path / "own.mat", f"{place}/heart.mat")

    with data.open_object(f"{place}/heart.mat") as file:
        streamed: dict[str, Any] = scipy.io.loadmat(file)
    with data.temporary_file(f"{place}/heart.mat") as path:
        from_file: dict[str, Any] = scipy.io.loadmat(path)

    assert streamed["signal"].tolist() == from_file["signal"].tolist() == [[0, 1, 2, 3]]


def test_says_what_to_install_for_a_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(data.DataError, match=r"file_system\(\): s3fs is missing; .* run pip install '\.\[data\]'"):
        data.file_system("s3://raw/")
