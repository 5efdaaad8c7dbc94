"""Parquet files are read by others as they were written."""

import io
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.documents import parquet
from headrace.documents.parquet import Column, write_parquet

COLUMNS = (Column("text", str), Column("whole", int), Column("decimal", float))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.text(st.characters(exclude_categories=["Cs"])),
            "whole": st.integers(-(2**63), 2**63 - 1),
            "decimal": st.floats(allow_nan=False),
        }
    )
)


@given(ROWS)
def test_is_read_as_it_was_written(rows: list[dict[str, object]]) -> None:
    file = io.BytesIO()

    assert write_parquet(file, COLUMNS, rows) == len(rows)
    assert polars.read_parquet(io.BytesIO(file.getvalue())).to_dicts() == rows


def test_is_read_across_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROWS_A_GROUP", 2)
    rows = [{"text": f"{number} ä", "whole": number, "decimal": number / 2} for number in range(41)]

    with (tmp_path / "rows.parquet").open("wb") as file:
        write_parquet(file, COLUMNS, iter(rows))

    # In groups, as what reads a part of the file does.
    assert polars.scan_parquet(tmp_path / "rows.parquet").slice(7, 3).collect().to_dicts() == rows[7:10]
    assert polars.read_parquet(tmp_path / "rows.parquet").to_dicts() == rows
