"""A run reads its user's file as the job does."""

from pathlib import Path

import pytest

from containers.big_mart.preprocessing.csv_text import read_records
from headrace.workloads.tables import read_rows

HEADER = "Item_Identifier,Outlet_Identifier,Item_Outlet_Sales"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\nFDA15,OUT049,3735.1\n",
        f"\ufeff{HEADER}\nFDA15,OUT049,3735.1\n",
        '\ufeff"Item_Identifier",Outlet_Identifier,Item_Outlet_Sales\r\n"FDA15",OUT049,3735.1\r\n',
        f"\n{HEADER}\n\nFDA15,OUT049,3735.1\n\n",
    ],
    ids=["plain", "byte order mark", "quotes behind a mark", "blank lines"],
)
def test_reads_rows_by_the_rules_of_the_job(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(text, newline="")

    assert read_rows(file) == [
        {"Item_Identifier": "FDA15", "Outlet_Identifier": "OUT049", "Item_Outlet_Sales": "3735.1"}
    ]
    assert [list(row.values()) for row in read_rows(file)] == list(read_records(file))[1:]
