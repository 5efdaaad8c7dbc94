"""Reading the raw CSV files of a folder into one sales table."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from containers.shared.job.events import warn_event
from containers.shared.job.inputs import find_csv_files

from . import schema
from .csv_text import has_odd_bytes, recognize_format, recognize_separator
from .failures import SalesError
from .mistakes import check_rows, is_utf8, read_header
from .sales import LARGEST_NUMBER, CategoryColumn, Sales, choose_code_type, concatenate_sales

# What is in memory as text at a time; all rows are there as some 46 bytes each, whatever the length of their texts.
BATCH_ROWS = 262_144
COLUMN_TYPES: dict[str, type[pl.DataType]] = {
    **dict.fromkeys((*schema.NUMBERS, schema.TARGET), pl.Float64),
    **dict.fromkeys(schema.CATEGORIES, pl.Categorical),
}


@dataclass(frozen=True)
class RawFile:
    """A file that was read: its path below the input folder, how many rows it has, and its columns."""

    name: str
    rows: int
    header: tuple[str, ...]


def read_files(folder: Path, paths: Sequence[Path]) -> tuple[list[RawFile], Sales]:
    """The rows of some CSV files below the folder in the order of the paths, and what there is to say of each file."""
    names = [path.relative_to(folder).as_posix() for path in paths]
    headers = [check_header(path, name) for path, name in zip(paths, names, strict=True)]
    files, parts = [], [build_sales(pl.DataFrame(schema=COLUMN_TYPES), schema.REQUIRED)]
    for path, header, name in zip(paths, headers, names, strict=True):
        batches = [build_sales(batch, header) for batch in read_batches(path, header, name)]
        files.append(RawFile(name, sum(len(batch.target) for batch in batches), tuple(header)))
        parts += batches
    return files, concatenate_sales(parts)


def find_files(folder: Path) -> list[Path]:
    """The folder's CSV files, sorted by path."""
    return find_csv_files(folder, SalesError)


def find_columns(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of a header that requests have, too, in its order."""
    return tuple(column for column in header if column in schema.REQUIRED and column != schema.TARGET)


def check_header(path: Path, name: str) -> list[str]:
    """The file's columns, once they are known to be the ones needed."""
    if what := recognize_format(path):
        raise SalesError(f"{name}: not CSV but {what}")
    try:
        header = read_header(path)
    except csv.Error as error:
        raise SalesError(f"{name}: not readable as CSV: {error}; check that it is a text file with a header") from error
    if not header:
        raise SalesError(f"{name}: the file is empty; it needs a header and data rows")
    if not all(is_utf8(column) for column in header):
        raise SalesError(f"{name}, line 1: not UTF-8; save the file as UTF-8")
    check_columns(header, name)
    if has_odd_bytes(path):
        check_rows(path, name)
    return header


def check_columns(header: list[str], name: str) -> None:
    """Refuse a header that has not every column once."""
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise SalesError(f"{name}: the header has {quote(repeated)} more than once; give every column its own name")
    missing = [column for column in schema.REQUIRED if column not in header]
    if missing and (separator := recognize_separator(header, schema.REQUIRED)):
        raise SalesError(f"{name}: the fields are separated by {separator}; save the file with commas between them")
    if missing:
        raise SalesError(f"{name}: the header lacks {quote(missing)}; it has {quote(header)}")
    extra = [column for column in header if column not in schema.REQUIRED]
    if extra:
        warn_event("columns_ignored", file=name, columns=quote(extra))


def quote(names: Sequence[str]) -> str:
    """Names in quotes, so that blanks around them show."""
    return ", ".join(repr(name) for name in names)


def read_batches(path: Path, header: list[str], name: str) -> Iterator[pl.DataFrame]:
    """The file's sales columns, some rows at a time; a mistake in any row is an error that says where."""
    # Every column is read, because Polars overlooks rows that are too long when it reads some.
    scan = pl.scan_csv(path, schema={column: COLUMN_TYPES.get(column, pl.String) for column in header})
    checked = False
    try:
        for batch in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            if is_suspicious(batch, header[-1]):
                if not checked:
                    check_rows(path, name)
                    checked = True
                # Nothing is wrong with the rows, so those without a target are blank lines.
                batch = batch.drop_nulls(schema.TARGET)
            yield batch.select(*COLUMN_TYPES)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        check_rows(path, name)
        reason = str(error).splitlines()[0]
        raise SalesError(f"{name}: not readable as CSV: {reason}; check the quotes and commas") from error


def is_suspicious(frame: pl.DataFrame, last_column: str) -> bool:
    """True when rows may be too short, may lack the target, or have numbers that are not finite."""
    if frame[last_column].null_count() or frame[schema.TARGET].null_count():
        return True
    return not all(frame.select(pl.col(pl.Float64).abs().le(LARGEST_NUMBER).all()).row(0))


def build_sales(frame: pl.DataFrame, header: Sequence[str]) -> Sales:
    """The frame as plain arrays."""
    return Sales(
        columns=find_columns(header),
        numbers={column: frame[column].to_numpy() for column in schema.NUMBERS},
        categories={column: build_category(frame[column]) for column in schema.CATEGORIES},
        target=frame[schema.TARGET].to_numpy(),
    )


def build_category(series: pl.Series) -> CategoryColumn:
    """The series with its distinct texts sorted, so that codes do not depend on the order of reading."""
    distinct = series.drop_nulls().unique()
    physical = distinct.to_physical().to_numpy()
    names = distinct.cast(pl.String).to_list()
    order = sorted(range(len(names)), key=names.__getitem__)
    missing = int(physical.max(initial=0)) + 1
    table = np.full(missing + 1, -1, choose_code_type(len(names)))
    table[physical[order]] = np.arange(len(names))
    return CategoryColumn(table[series.to_physical().fill_null(missing).to_numpy()], tuple(names[i] for i in order))
