import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.big_mart.preprocessing.__main__ import main
from containers.big_mart.preprocessing.encoding import CategoryFeature, clean_names, encode_column
from containers.big_mart.preprocessing.sales import CategoryColumn, Sales, concatenate_categories
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import any_sales_row, write_sales


def encode(root: Path, *rows: dict[str, str]) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The encoding fitted on half of the rows given twice, and the features of the training part by column."""
    write_sales(root, rows)
    assert main(["--train-test-split-ratio", "0.5", "--seed", "1"], root, Outputs()) == 0
    encoding = json.loads((root / "processing/encoding/encoding.json").read_text())
    features = np.loadtxt(root / "processing/train/train_features.csv", delimiter=",", ndmin=2)
    by_column = {feature["column"]: feature for feature in encoding["features"]}
    return by_column, dict(zip(by_column, features.T.tolist(), strict=True))


def test_describes_format_columns_and_target(preprocessed: Path) -> None:
    encoding = json.loads((preprocessed / "processing/encoding/encoding.json").read_text())

    assert (encoding["format"], encoding["version"]) == ("headrace-encoding", 1)
    assert encoding["target"] == "Item_Outlet_Sales"
    assert "Item_Outlet_Sales" not in encoding["columns"]
    assert len(encoding["columns"]) == 11
    assert len(encoding["features"]) == 10
    assert "Item_Identifier" not in [feature["column"] for feature in encoding["features"]]


def test_fills_weight_with_the_mean_of_the_item_type(tmp_path: Path) -> None:
    dairy = [any_sales_row(Item_Type="Dairy", Item_Weight="10")] * 10
    meat = [any_sales_row(Item_Type="Meat", Item_Weight="20")] * 10
    unknown = [any_sales_row(Item_Type="Meat", Item_Weight="")] * 10

    encoding, _ = encode(tmp_path, *dairy, *meat, *unknown)

    fill = encoding["Item_Weight"]["fill"]
    assert (fill["by"], fill["values"]) == ("Item_Type", {"Dairy": 10.0, "Meat": 20.0})
    assert 10 < fill["otherwise"] < 20


def test_gives_one_spelling_of_fat_content_one_number(tmp_path: Path) -> None:
    spellings = ["LF", "low fat", " Low Fat ", "LOW FAT", "reg", "Regular", "REG"]

    encoding, _ = encode(tmp_path, *(any_sales_row(Item_Fat_Content=spelling) for spelling in spellings * 4))

    assert encoding["Item_Fat_Content"]["categories"] == ["Low Fat", "Regular"]


@pytest.mark.parametrize("names", [127, 128, 40_000])
def test_numbers_as_many_categories_as_there_are(names: int) -> None:
    distinct = tuple(f"{number:05}" for number in range(names))
    halves = [CategoryColumn(np.array([-1, *range(names // 2)]), half) for half in (distinct[::2], distinct[1::2])]
    feature = CategoryFeature(column="Item_Type", spellings={}, fill=None, categories=distinct, mean=0.0, scale=1.0)

    column = concatenate_categories(halves)
    sales = Sales(columns=("Item_Type",), numbers={}, categories={"Item_Type": column}, target=np.zeros(0))

    every_other = np.arange(0, names - 1, 2)
    expected = [0, *every_other, 0, *every_other + 1]
    assert encode_column(feature, sales, {"Item_Type": column}).tolist() == expected


def test_keeps_a_fat_content_it_does_not_know() -> None:
    assert clean_names(["Skim", " lf"], {"lf": "Low Fat"}) == ("Skim", "Low Fat")


@pytest.mark.parametrize(
    ("outlet_type", "size"),
    [
        ("Grocery Store", "Small"),
        ("Supermarket Type1", "Small"),
        ("Supermarket Type2", "Medium"),
        ("Supermarket Type3", "Medium"),
    ],
)
def test_fills_outlet_size_by_outlet_type(tmp_path: Path, outlet_type: str, size: str) -> None:
    encoding, _ = encode(tmp_path, *[any_sales_row(Outlet_Type=outlet_type, Outlet_Size="")] * 4)

    assert encoding["Outlet_Size"]["categories"] == [size]


def test_leaves_outlet_size_neutral_when_the_rule_does_not_know_the_type(tmp_path: Path) -> None:
    kiosk = any_sales_row(Outlet_Type="Kiosk", Outlet_Size="")
    others = [any_sales_row(Outlet_Size=size) for size in ("High", "Medium")]

    encoding, features = encode(tmp_path, *[kiosk, *others] * 10)

    assert encoding["Outlet_Size"]["categories"] == ["High", "Medium"]
    assert 0.0 in features["Outlet_Size"]


def test_gives_a_column_without_variation_scale_one(tmp_path: Path) -> None:
    encoding, features = encode(tmp_path, *[any_sales_row(Item_MRP="0.1")] * 20)

    assert (encoding["Item_MRP"]["mean"], encoding["Item_MRP"]["scale"]) == (pytest.approx(0.1), 1.0)
    np.testing.assert_allclose(features["Item_MRP"], 0, atol=1e-6)


def test_survives_columns_without_any_value(tmp_path: Path) -> None:
    empty = any_sales_row(Item_Weight="", Item_Visibility="", Item_Type="", Outlet_Type="", Outlet_Size=" ")

    encoding, features = encode(tmp_path, *[empty] * 4)

    assert encoding["Item_Type"]["categories"] == []
    assert {value for column in features.values() for value in column} == {0.0}


def test_learns_nothing_from_the_rows_held_out(tmp_path: Path) -> None:
    rows = [any_sales_row(Item_Type=f"type {number}", Item_MRP=f"{number}") for number in range(10)]

    encoding, _ = encode(tmp_path, *rows)

    assert len(encoding["Item_Type"]["categories"]) == 5
    trained_on = [int(name.split()[1]) for name in encoding["Item_Type"]["categories"]]
    assert encoding["Item_MRP"]["mean"] == pytest.approx(np.mean(trained_on))
