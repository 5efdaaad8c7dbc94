"""Reading a channel of labelled rows: CSV, libsvm, Parquet or RecordIO-protobuf, the label first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import scipy.sparse
from numpy.typing import NDArray

from containers.shared.job.training_channels import list_files
from containers.shared.job.training_failures import TrainingDataError
from headrace.recordio.framing import RecordIOError
from headrace.recordio.reading import read_rows
from headrace.recordio.rows import SparseRows

from . import contract

# Dense numbers, or a sparse matrix by rows.
Features = Any
_SHOWN: Final = 100


@dataclass(frozen=True)
class Dataset:
    """Features, the label of each row, and how much each row counts, where that is said."""

    features: Features
    labels: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)


class BadRowsError(Exception):
    """Rows that cannot be read; the message says where and why."""


def list_data_files(folder: Path) -> list[Path]:
    """The files of a channel, in the order of their paths; hidden ones are not data."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))


def read_dataset(folder: Path, content_type: str, *, has_weights: bool = False) -> Dataset:
    """All rows of a channel.

    Args:
        folder: The channel's.
        content_type: What is in its files.
        has_weights: Whether a weight stands behind the label, in CSV.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    read = _READERS.get(media_type)
    if read is None:
        raise TrainingDataError(
            f"channel {folder.name!r} has the content type {content_type!r}; XGBoost reads {', '.join(_READERS)}"
        )
    parts = []
    for path in list_data_files(folder):
        try:
            parts.append(read(path))
        except (BadRowsError, RecordIOError) as error:
            raise TrainingDataError(f"channel {folder.name!r}, {path.name}: {error}") from error
    return _split(_stack(folder, parts), has_weights=has_weights and media_type == contract.CSV)


@dataclass(frozen=True)
class _Table:
    features: Features
    labels: NDArray[np.float32]


def _stack(folder: Path, parts: list[_Table]) -> _Table:
    widths = {part.features.shape[1] for part in parts if not scipy.sparse.issparse(part.features)}
    if len(widths) > 1:
        raise TrainingDataError(
            f"channel {folder.name!r} has files of {' and '.join(map(str, sorted(widths)))} features "
            f"({list_files(folder)}); all rows need the same"
        )
    labels = np.concatenate([part.labels for part in parts])
    if len(labels) == 0:
        raise TrainingDataError(f"channel {folder.name!r} has no rows in {list_files(folder)}")
    if not np.isfinite(labels).all():
        row = int(np.argmin(np.isfinite(labels)))
        raise TrainingDataError(f"channel {folder.name!r}, row {row + 1}: the label is not a finite number")
    if any(scipy.sparse.issparse(part.features) for part in parts):
        return _Table(_stack_sparse([part.features for part in parts]), labels)
    return _Table(np.concatenate([part.features for part in parts]), labels)


def _stack_sparse(parts: list[Any]) -> Any:
    """Sparse rows below each other; a file knows only the columns that it has values in."""
    width = max(part.shape[1] for part in parts)
    widened = [
        scipy.sparse.csr_matrix((part.data, part.indices, part.indptr), (part.shape[0], width)) for part in parts
    ]
    return scipy.sparse.vstack(widened, format="csr")


def _split(table: _Table, *, has_weights: bool) -> Dataset:
    if not has_weights:
        return Dataset(table.features, table.labels)
    return Dataset(table.features[:, 1:], table.labels, table.features[:, 0])


def read_csv(path: Path) -> _Table:
    """Numbers without a header, the label first; an empty cell is a missing value."""
    try:
        frame = pl.read_csv(path, has_header=False, infer_schema=False)
    except pl.exceptions.NoDataError:
        return _Table(np.empty((0, 0), np.float32), np.empty(0, np.float32))
    except pl.exceptions.PolarsError as error:
        raise BadRowsError(f"not readable as CSV: {error}") from error
    if frame.width == 1:
        raise BadRowsError("one column; the label is the first, and features follow")
    numbers = frame.select(pl.all().str.strip_chars().cast(pl.Float32, strict=False))
    lost = numbers.select(pl.all().is_null()).to_numpy() & ~(
        frame.select(pl.all().is_null() | (pl.all().str.strip_chars() == "")).to_numpy()
    )
    if lost.any():
        row, column = (int(place[0]) for place in np.nonzero(lost))
        raise BadRowsError(
            f"row {row + 1}, column {column + 1}: {frame[row, column][:_SHOWN]!r} is not a number"
            + ("; the file must have no header" if row == 0 else "")
        )
    values = numbers.to_numpy(order="c")
    return _Table(values[:, 1:], np.ascontiguousarray(values[:, 0]))


def read_parquet(path: Path) -> _Table:
    """Number columns, the label first."""
    try:
        frame = pl.read_parquet(path)
        values = frame.select(pl.all().cast(pl.Float32)).to_numpy(order="c")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadRowsError(f"not a Parquet file of numbers: {str(error).splitlines()[0]}") from error
    return _Table(values[:, 1:], np.ascontiguousarray(values[:, 0]))


def read_recordio(path: Path) -> _Table:
    """RecordIO-protobuf with a label in each record."""
    rows = read_rows(path)
    if rows.labels is None:
        raise BadRowsError("its records have no labels")
    return _Table(to_matrix(rows.features), rows.labels.astype(np.float32))


def to_matrix(features: Any) -> Features:
    """The features of records, as XGBoost takes them."""
    if isinstance(features, SparseRows):
        parts = (features.data.astype(np.float32), features.indices, features.indptr)
        return scipy.sparse.csr_matrix(parts, features.shape)
    return np.asarray(features, np.float32)


def read_libsvm(path: Path) -> _Table:
    """Lines such as `1 0:3.5 7:0.25`: the label, then columns with their values."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        labels, features = parse_libsvm(lines.read().splitlines(), has_labels=True)
    return _Table(features, np.asarray(labels, np.float32))


def parse_libsvm(lines: list[str], *, has_labels: bool, width: int = 0) -> tuple[list[float], Any]:
    """The labels and the sparse rows of libsvm's lines.

    Raises:
        BadRowsError: Naming the line.
    """
    labels, data, indices, indptr = [], [], [], [0]
    for number, line in enumerate(filter(str.strip, lines), start=1):
        words = line.partition("#")[0].split()
        try:
            if words and ":" not in words[0]:
                labels.append(float(words.pop(0)))
            elif has_labels:
                raise ValueError("no label")
            pairs = [word.split(":") for word in words]
            indices += [int(column) for column, _ in pairs]
            data += [float(value) for _, value in pairs]
        except ValueError as error:
            raise BadRowsError(f"line {number}: {line[:_SHOWN]!r} is not libsvm: {error}") from error
        if min(indices[indptr[-1] :], default=0) < 0:
            raise BadRowsError(f"line {number}: {line[:_SHOWN]!r} has a negative column")
        indptr.append(len(indices))
    shape = (len(indptr) - 1, max([width, *(column + 1 for column in indices)]))
    return labels, scipy.sparse.csr_matrix((np.asarray(data, np.float32), indices, indptr), shape)


_READERS: Final[Mapping[str, Callable[[Path], _Table]]] = {
    contract.CSV: read_csv,
    contract.LIBSVM: read_libsvm,
    contract.LIBSVM_ALIAS: read_libsvm,
    contract.PARQUET: read_parquet,
    contract.RECORDIO: read_recordio,
}
