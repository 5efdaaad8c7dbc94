# /// script
# requires-python = ">=3.11"
# dependencies = ["headrace", "numpy==2.4.6", "sagemaker==2.257.7", "scipy==1.17.1"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""RecordIO-protobuf, against SageMaker's SDK 2.257.7, the last one with a writer.

The SDK would take minutes, and on reading gigabytes, so it does a tenth of the rows: its true time, and the true ratio,
are ten times what the table says. Its reader makes messages of the records; of the sparse ones a matrix is made
as well, of the dense ones making arrays is not counted.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import Case, Side, main

ROWS, WIDTH = 1_000_000, 11
PART = 10
SPARSE_ROWS, SPARSE_WIDTH, NUMBERS_PER_ROW = 50_000, 1_000, 10

os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"


@dataclass(frozen=True)
class Work:
    """A table and the file it is written to or read from."""

    features: Any
    labels: Any
    folder: Path

    def make_path(self) -> Path:
        """A file that is not there yet: removing an old one is not the work."""
        return self.folder / f"{len(list(self.folder.iterdir()))}.pbr"

    @property
    def path(self) -> Path:
        """The file to read."""
        return self.folder / "0.pbr"


def make_dense(rows: int) -> Work:
    chance = np.random.default_rng(0)
    features = chance.random((rows, WIDTH), dtype=np.float32)
    return Work(features, chance.integers(0, 4, rows).astype(np.float32), make_folder())


def make_sparse(rows: int) -> Work:
    from scipy.sparse import csr_matrix

    chance = np.random.default_rng(0)
    step = SPARSE_WIDTH // NUMBERS_PER_ROW
    keys = chance.integers(0, step, (rows, NUMBERS_PER_ROW)) + np.arange(NUMBERS_PER_ROW) * step
    starts = np.arange(rows + 1) * NUMBERS_PER_ROW
    data = chance.random(keys.size, dtype=np.float32)
    matrix = csr_matrix((data, keys.ravel(), starts), (rows, SPARSE_WIDTH))
    return Work(matrix, np.zeros(rows, np.float32), make_folder())


def make_folder() -> Path:
    folder = tempfile.TemporaryDirectory()
    KEPT.append(folder)
    return Path(folder.name)


# A folder is removed with its object, at the end of the process.
KEPT: list[tempfile.TemporaryDirectory[str]] = []


def load_sdk() -> Any:
    from sagemaker import serializer_utils

    return serializer_utils


def with_sdk(work: Work) -> tuple[Work, Any]:
    return work, load_sdk()


def written(work: Work) -> Work:
    write_ours(work)
    return work


def write_ours(work: Work) -> None:
    from headrace.recordio import write_rows

    write_rows(work.make_path(), work.features, work.labels)


def write_dense_sdk(prepared: tuple[Work, Any]) -> None:
    work, sdk = prepared
    with work.make_path().open("wb") as file:
        sdk.write_numpy_to_dense_tensor(file, work.features, work.labels)


def write_sparse_sdk(prepared: tuple[Work, Any]) -> None:
    work, sdk = prepared
    with work.make_path().open("wb") as file:
        sdk.write_spmatrix_to_sparse_tensor(file, work.features, work.labels)


def read_ours(work: Work) -> None:
    from headrace.recordio import read_rows

    assert len(read_rows(work.path)) == len(work.labels)


def read_sdk(prepared: tuple[Work, Any]) -> None:
    work, sdk = prepared
    with work.path.open("rb") as file:
        assert len(sdk.read_records(file)) == len(work.labels)


def read_sparse_sdk(prepared: tuple[Work, Any]) -> None:
    from scipy.sparse import csr_matrix

    work, sdk = prepared
    with work.path.open("rb") as file:
        records = sdk.read_records(file)
    tensors = [record.features["values"].float32_tensor for record in records]
    data = np.concatenate([np.array(tensor.values, np.float32) for tensor in tensors])
    keys = np.concatenate([np.array(tensor.keys, np.int64) for tensor in tensors])
    starts = np.cumsum([0, *(len(tensor.keys) for tensor in tensors)])
    labels = np.array([record.label["values"].float32_tensor.values[0] for record in records], np.float32)
    assert csr_matrix((data, keys, starts), (len(tensors), SPARSE_WIDTH)).shape[0] == len(labels) == len(work.labels)


def prepare_ours(work: Work) -> Work:
    """Import what the work needs, as the other side's import is not timed either."""
    import headrace.recordio  # noqa: F401

    return work


def compare(work: str, ours: Side, theirs: Callable[[], Any], run: Callable[[Any], object]) -> Case:
    sdk = Side(name=f"sagemaker 2.257.7, 1/{PART} of the rows", prepare=theirs, run=run)
    return Case(name=f"{work}; true ratios are {PART} times these", ours=ours, peers=(sdk,))


def compare_both(
    table: str,
    make: Callable[[int], Work],
    rows: int,
    write_sdk: Callable[[Any], object],
    read_sdk: Callable[[Any], object],
) -> list[Case]:
    """Writing a table to a file, and reading it."""
    part = rows // PART
    writer = Side(name="headrace", prepare=lambda: prepare_ours(make(rows)), run=write_ours)
    reader = Side(name="headrace, checked, to arrays", prepare=lambda: written(make(rows)), run=read_ours)
    return [
        compare(f"write {table} to a file", writer, lambda: with_sdk(make(part)), write_sdk),
        compare(f"read {table} from a file", reader, lambda: with_sdk(written(make(part))), read_sdk),
    ]


CASES = [
    *compare_both("1e6 x 11 float32", make_dense, ROWS, write_dense_sdk, read_sdk),
    *compare_both("50,000 sparse rows", make_sparse, SPARSE_ROWS, write_sparse_sdk, read_sparse_sdk),
]

if __name__ == "__main__":
    main(CASES)
