"""Reading a channel of labelled rows, the label first."""

import csv
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
from containers.shared.tables.rows import BadRowsError, Features, to_floats, to_matrix
from headrace.recordio.framing import RecordIOError
from headrace.recordio.reading import read_rows

_SHOWN: Final = 100


@dataclass(frozen=True)
class Table:
    """Features, and the label of each row."""

    features: Features
    labels: NDArray[np.float32]


Reader = Callable[[Path], Table]


def list_data_files(folder: Path) -> list[Path]:
    """The files of a channel, in the order of their paths; hidden ones are not data."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))


def find_media_type(content_type: str) -> str:
    """A content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def read_table(folder: Path, content_type: str, readers: Mapping[str, Reader], title: str) -> Table:
    """All rows of a channel.

    Args:
        folder: The channel's.
        content_type: What is in its files.
        readers: What reads a file of each media type.
        title: What the algorithm is called.
    """
    read = readers.get(find_media_type(content_type))
    if read is None:
        raise TrainingDataError(
            f"channel {folder.name!r} has the content type {content_type!r}; {title} reads {', '.join(readers)}"
        )
    parts = []
    for path in list_data_files(folder):
        try:
            parts.append(read(path))
        except (BadRowsError, RecordIOError) as error:
            raise TrainingDataError(f"channel {folder.name!r}, {path.name}: {error}") from error
    return _stack(folder, parts)


def _stack(folder: Path, parts: list[Table]) -> Table:
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
        return Table(_stack_sparse([part.features for part in parts]), labels)
    return Table(np.concatenate([part.features for part in parts]), labels)


def _stack_sparse(parts: list[Any]) -> Any:
    """Sparse rows below each other; a file knows only the columns that it has values in."""
    width = max(part.shape[1] for part in parts)
    widened = [
        scipy.sparse.csr_matrix((part.data, part.indices, part.indptr), (part.shape[0], width)) for part in parts
    ]
    return scipy.sparse.vstack(widened, format="csr")


def read_csv(path: Path) -> Table:
    """Numbers without a header, the label first; an empty cell is a missing value."""
    try:
        frame = pl.read_csv(path, has_header=False, infer_schema=False)
    except pl.exceptions.NoDataError:
        return Table(np.empty((0, 0), np.float32), np.empty(0, np.float32))
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(path)
        raise BadRowsError(f"not readable as CSV: {str(error).splitlines()[0]}") from error
    if frame.width == 1:
        raise BadRowsError("one column; the label is the first, and features follow")
    if frame[:, -1].has_nulls():
        # What a short row lacks looks like empty cells.
        _refuse_ragged(path)
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
    return Table(values[:, 1:], np.ascontiguousarray(values[:, 0]))


def _refuse_ragged(path: Path) -> None:
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        rows = filter(None, csv.reader(lines))
        try:
            width = len(next(rows, []))
            for number, row in enumerate(rows, start=2):
                if len(row) != width:
                    raise BadRowsError(f"row {number}: {len(row)} cells, but row 1 has {width}")
        except csv.Error as error:
            raise BadRowsError(f"not readable as CSV: {error}") from error


def read_recordio(path: Path) -> Table:
    """RecordIO-protobuf with a label in each record."""
    rows = read_rows(path)
    if rows.labels is None:
        raise BadRowsError("its records have no labels")
    return Table(to_matrix(rows.features), to_floats(rows.labels))


def check_classes(channel: str, labels: NDArray[np.float32], classes: int, announced_by: str) -> None:
    """Refuse labels that are not classes where classes are to be told apart.

    Args:
        channel: The channel that they are from.
        labels: The labels.
        classes: How many classes there are.
        announced_by: The hyperparameter that says so.
    """
    wrong = (labels != labels.round()) | (labels < 0) | (labels >= classes)
    if wrong.any():
        row = int(wrong.argmax())
        raise TrainingDataError(
            f"channel {channel!r}, row {row + 1}: the label {labels[row]:g} is not one of the {classes} classes "
            f"0 to {classes - 1} that {announced_by} announces; the label stands first"
        )
