"""What the raw rows look like, column by column, for what the endpoint is asked to be compared with later."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, compress, count
from pathlib import Path

import polars as pl

from . import schema
from .csv_text import CHUNK_BYTES
from .mistakes import read_header
from .reading import BATCH_ROWS

# Of more rows, so many are drawn: chance moves an index against them by some thousandths.
MOST_ROWS = 20_000
_HASHES = 2**64


def draw_rows(path: Path, columns: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    """The cells of some rows of a file, drawn by the hash of a row's number: rows may repeat in any rhythm.

    Args:
        path: The file.
        columns: The columns of a request, in their order.
        rows: How many rows all files have.
    """
    share = min(1.0, MOST_ROWS / rows)
    drawn = pl.col("row").hash(seed=0) < pl.lit(int(_HASHES * share), pl.UInt64) if share < 1 else pl.lit(value=True)
    header = read_header(path)
    if _has_a_row_in_each_line(path):
        yield from _cut_lines(path, header, columns, drawn)
    else:
        yield from _read_rows(path, header, columns, drawn)


def _has_a_row_in_each_line(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(b'"' in chunk for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _cut_lines(path: Path, header: Sequence[str], columns: Sequence[str], drawn: pl.Expr) -> Iterator[Sequence[str]]:
    """The rows of a file with one in each line: only those that are drawn are taken apart."""
    places = [header.index(column) for column in columns]
    for cells in csv.reader(line.decode() for line in _pick_lines(path, drawn)):
        # A byte order mark may stand before the header.
        if cells and cells[-1] != header[-1]:
            yield [cells[place] for place in places]


def _pick_lines(path: Path, drawn: pl.Expr) -> Iterator[bytes]:
    """The drawn lines of a file, of which one is in memory at a time."""
    blocks = (pl.select(row=pl.int_range(start, start + BATCH_ROWS, dtype=pl.UInt64)) for start in count(0, BATCH_ROWS))
    chosen = (block.with_columns(drawn=drawn)["drawn"].to_numpy().tobytes() for block in blocks)
    with path.open("rb") as lines:
        yield from compress(lines, chain.from_iterable(chosen))


def _read_rows(path: Path, header: Sequence[str], columns: Sequence[str], drawn: pl.Expr) -> Iterator[Sequence[str]]:
    # Lines without a target are blank.
    chosen = drawn & pl.col(schema.TARGET).is_not_null()
    texts = dict.fromkeys(header, pl.String)
    scan = pl.scan_csv(path, schema=texts, row_index_name="row").filter(chosen).select(columns)
    for batch in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        yield from batch.fill_null("").iter_rows()
