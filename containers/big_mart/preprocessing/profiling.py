"""What the raw rows look like, column by column, for what the endpoint is asked to be compared with later."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from headrace.drift.profiles import Profile, make_profile

from . import schema
from .mistakes import read_header
from .reading import BATCH_ROWS, find_files

# Of more rows, so many are drawn: chance moves an index against them by some thousandths.
MOST_ROWS = 20_000
_HASHES = 2**64


def profile_rows(folder: Path, columns: Sequence[str], rows: int) -> Profile:
    """The profile of the columns that requests have, as `headrace drift profile` would make it of the same rows.

    Args:
        folder: Where the CSV files are, all of them read before, so that nothing is wrong with them.
        columns: The columns of a request, in their order.
        rows: How many rows the files have.
    """
    return make_profile(columns, _list_rows(folder, columns, min(1.0, MOST_ROWS / rows)))


def _list_rows(folder: Path, columns: Sequence[str], share: float) -> Iterator[tuple[str, ...]]:
    """The cells of a share of the rows, which is drawn by the hash of a row's number: rows may repeat in any rhythm."""
    drawn = pl.col("row").hash(seed=0) < pl.lit(int(_HASHES * share), pl.UInt64) if share < 1 else pl.lit(value=True)
    for path in find_files(folder):
        texts = dict.fromkeys(read_header(path), pl.String)
        # Lines without a target are blank.
        chosen = drawn & pl.col(schema.TARGET).is_not_null()
        scan = pl.scan_csv(path, schema=texts, row_index_name="row").filter(chosen).select(columns)
        for batch in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield from batch.fill_null("").iter_rows()
