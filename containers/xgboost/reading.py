"""Reading a channel of labelled rows: CSV, libsvm, Parquet or RecordIO-protobuf, the label first."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import scipy.sparse
from numpy.typing import NDArray

from containers.shared.tables.labelled import Reader, Table, find_media_type, read_csv, read_recordio, read_table
from containers.shared.tables.rows import BadRowsError, Features, to_floats

from . import contract

_SHOWN: Final = 100
# XGBoost keeps some 400 bytes for each column, whether there is a value in it or not.
_MOST_COLUMNS: Final = 10_000_000


@dataclass(frozen=True)
class Dataset:
    """Features, the label of each row, and how much each row counts, where that is said."""

    features: Features
    labels: NDArray[np.float32]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)


def read_dataset(folder: Path, content_type: str, *, has_weights: bool = False) -> Dataset:
    """All rows of a channel.

    Args:
        folder: The channel's.
        content_type: What is in its files.
        has_weights: Whether a weight stands behind the label, in CSV.
    """
    table = read_table(folder, content_type, _READERS, "XGBoost")
    if not has_weights or find_media_type(content_type) != contract.CSV:
        return Dataset(table.features, table.labels)
    return Dataset(table.features[:, 1:], table.labels, table.features[:, 0])


def read_parquet(path: Path) -> Table:
    """Number columns, the label first."""
    try:
        frame = pl.read_parquet(path)
        values = frame.select(pl.all().cast(pl.Float32)).to_numpy(order="c")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadRowsError(f"not a Parquet file of numbers: {str(error).splitlines()[0]}") from error
    return Table(values[:, 1:], np.ascontiguousarray(values[:, 0]))


def read_libsvm(path: Path) -> Table:
    """Lines such as `1 0:3.5 7:0.25`: the label, then columns with their values."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        labels, features = parse_libsvm(lines.read().splitlines(), has_labels=True)
    return Table(features, to_floats(labels))


def parse_libsvm(lines: list[str], *, has_labels: bool, width: int = 0) -> tuple[list[float], Any]:
    """The labels and the sparse rows of libsvm's lines.

    Raises:
        BadRowsError: Naming the line.
    """
    labels, data, indices, indptr = [], [], [], [0]
    for number, line in enumerate(filter(str.strip, lines), start=1):
        content = line.partition("#")[0]
        words = content.split()
        try:
            if "_" in content or not content.isascii():
                raise ValueError("expected ASCII characters, and no underscores")
            if words and ":" not in words[0]:
                labels.append(float(words.pop(0)))
            elif has_labels:
                raise ValueError("no label")
            pairs = [word.split(":") for word in words]
            indices += [int(column) for column, _ in pairs]
            data += [float(value) for _, value in pairs]
        except ValueError as error:
            raise BadRowsError(f"line {number}: {line[:_SHOWN]!r} is not libsvm: {error}") from error
        columns = indices[indptr[-1] :]
        if min(columns, default=0) < 0:
            raise BadRowsError(f"line {number}: {line[:_SHOWN]!r} has a negative column")
        if max(columns, default=0) >= _MOST_COLUMNS:
            raise BadRowsError(f"line {number}: {line[:_SHOWN]!r} has a column beyond {_MOST_COLUMNS - 1:,}")
        indptr.append(len(indices))
    shape = (len(indptr) - 1, max([width, *(column + 1 for column in indices)]))
    return labels, scipy.sparse.csr_matrix((to_floats(data), indices, indptr), shape)


def refuse_infinite(features: Features) -> None:
    """Refuse values that XGBoost does not take; those that are missing it does.

    Raises:
        BadRowsError: Naming the row and the feature, which is counted from 0.
    """
    infinite = np.isinf(features.data if scipy.sparse.issparse(features) else features)
    if not infinite.any():
        return
    if scipy.sparse.issparse(features):
        place = int(infinite.argmax())
        row, column = int(np.searchsorted(features.indptr, place, "right")) - 1, int(features.indices[place])
    else:
        row, column = (int(first[0]) for first in np.nonzero(infinite))
    raise BadRowsError(
        f"row {row + 1}: feature {column} is infinite, or too large for 32 bits; leave a value out that is not known, "
        "or scale the feature"
    )


_READERS: Final[Mapping[str, Reader]] = {
    contract.CSV: read_csv,
    contract.LIBSVM: read_libsvm,
    contract.LIBSVM_ALIAS: read_libsvm,
    contract.PARQUET: read_parquet,
    contract.RECORDIO: read_recordio,
}
