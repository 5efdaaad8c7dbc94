import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from headrace.files import FileError
from headrace.workloads import sales


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return [dict(zip(sales.COLUMNS, row, strict=True)) for row in sales.make_rows(8523, seed=1)]


def mean_sales_over_price(rows: list[dict[str, str]], outlet_type: str) -> float:
    ratios = [
        float(row["Item_Outlet_Sales"]) / float(row["Item_MRP"]) for row in rows if row["Outlet_Type"] == outlet_type
    ]
    return sum(ratios) / len(ratios)


def test_writes_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sales.write_csv(tmp_path / name, rows=50, seed=seed)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_writes_a_file_with_header_and_as_many_rows_as_the_real_one(tmp_path: Path) -> None:
    sales.write_csv(tmp_path / "new/sales.csv")

    with (tmp_path / "new/sales.csv").open(newline="") as file:
        header, *records = csv.reader(file)
    assert tuple(header) == sales.COLUMNS
    assert len(records) == 8523
    assert {len(record) for record in records} == {12}


def test_leaves_nothing_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(sales, "make_rows", break_down)

    with pytest.raises(FileError, match=r"sales\.csv: disk full"):
        sales.write_csv(tmp_path / "sales.csv")
    assert list(tmp_path.iterdir()) == []


def test_repeats_no_item_in_an_outlet(rows: list[dict[str, str]]) -> None:
    assert len({(row["Item_Identifier"], row["Outlet_Identifier"]) for row in rows}) == len(rows)


def test_makes_more_rows_than_there_are_items_in_outlets() -> None:
    assert sum(1 for _ in sales.make_rows(20_000, seed=1)) == 20_000


def test_has_the_items_of_the_real_assortment() -> None:
    assert sum(kind.items for kind in sales.ITEM_TYPES) == 1559
    assert len(sales.ITEM_TYPES) == 16
    assert len(sales.OUTLETS) == 10


def test_describes_an_item_alike_in_all_outlets(rows: list[dict[str, str]]) -> None:
    described = {(row["Item_Identifier"], row["Item_Weight"], row["Item_Type"]) for row in rows if row["Item_Weight"]}

    assert len(described) == len({row["Item_Identifier"] for row in rows if row["Item_Weight"]})


def test_lacks_weight_and_size_by_outlet(rows: list[dict[str, str]]) -> None:
    assert {row["Outlet_Identifier"] for row in rows if not row["Item_Weight"]} == {"OUT019", "OUT027"}
    assert {row["Outlet_Identifier"] for row in rows if not row["Outlet_Size"]} == {"OUT010", "OUT017", "OUT045"}
    assert {row["Item_Weight"] for row in rows if row["Outlet_Identifier"] in ("OUT019", "OUT027")} == {""}


def test_spells_fat_content_in_five_ways(rows: list[dict[str, str]]) -> None:
    spellings = Counter(row["Item_Fat_Content"] for row in rows)

    assert [spelling for spelling, _ in spellings.most_common(2)] == ["Low Fat", "Regular"]
    assert set(spellings) == {"Low Fat", "Regular", "LF", "low fat", "reg"}


def test_hides_some_items(rows: list[dict[str, str]]) -> None:
    assert 0.04 < sum(float(row["Item_Visibility"]) == 0 for row in rows) / len(rows) < 0.08


@pytest.mark.parametrize(
    ("outlet_type", "mean"),
    [("Grocery Store", 2.4), ("Supermarket Type1", 16.4), ("Supermarket Type2", 13.9), ("Supermarket Type3", 26.6)],
)
def test_sells_by_price_and_outlet_type(rows: list[dict[str, str]], outlet_type: str, mean: float) -> None:
    assert mean_sales_over_price(rows, outlet_type) == pytest.approx(mean, rel=0.1)


def test_explains_sales_as_well_as_the_real_data_does(rows: list[dict[str, str]]) -> None:
    sold = [float(row["Item_Outlet_Sales"]) for row in rows]
    expected = [float(row["Item_MRP"]) * sales.DEMANDS[row["Outlet_Type"]].mean for row in rows]
    mean = sum(sold) / len(sold)

    unexplained = sum((sale - guess) ** 2 for sale, guess in zip(sold, expected, strict=True))

    assert 0.55 < 1 - unexplained / sum((sale - mean) ** 2 for sale in sold) < 0.65


def test_shares_no_row_with_the_real_file() -> None:
    path = Path(__file__).parents[3] / "shared/data/bigmart/Train.csv"
    if not path.is_file():
        pytest.skip("../shared/data/bigmart/Train.csv is absent")

    real = {hashlib.sha256(line.encode()).digest() for line in path.read_text().splitlines()[1:]}

    assert not real & {hashlib.sha256(",".join(row).encode()).digest() for row in sales.make_rows(8523, seed=2013)}
