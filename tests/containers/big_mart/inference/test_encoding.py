import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from containers.big_mart.inference.encoding import EncodingError, encode_table, parse_encoding
from containers.big_mart.inference.parsing import parse_csv
from containers.big_mart.preprocessing.__main__ import main as preprocess
from containers.big_mart.preprocessing.splitting import choose_held_out_rows
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import any_sales_row, make_sales, write_sales
from tests.examples import count_examples


def read_features(root: Path, rows: int) -> NDArray[np.float32]:
    """The preprocessing job's features of both parts, in the order of the raw rows."""
    held_out = choose_held_out_rows(rows, ratio=0.1, seed=42)
    parts = [
        np.loadtxt(root / f"processing/{name}/{name}_features.csv", delimiter=",", dtype=np.float32, ndmin=2)
        for name in ("train", "test")
    ]
    features = np.empty((rows, parts[0].shape[1]), dtype=np.float32)
    features[~held_out], features[held_out] = parts
    return features


def encode_raw(root: Path) -> NDArray[np.float32]:
    """The same raw rows as the inference container encodes them."""
    encoding = parse_encoding((root / "processing/encoding/encoding.json").read_bytes())
    body = (root / "processing/input/sales.csv").read_bytes()
    return encode_table(encoding, parse_csv(body, encoding, header=None))


def test_makes_the_features_of_the_preprocessing_job(preprocessed: Path) -> None:
    np.testing.assert_array_equal(encode_raw(preprocessed), read_features(preprocessed, 600))


def test_makes_the_same_features_of_the_real_file(tmp_path: Path, real_sales: Path) -> None:
    write_sales(tmp_path, [])
    (tmp_path / "processing/input/sales.csv").write_bytes(real_sales.read_bytes())

    assert preprocess([], tmp_path, Outputs()) == 0

    np.testing.assert_array_equal(encode_raw(tmp_path), read_features(tmp_path, 8523))


def test_makes_the_same_features_when_cells_are_missing_or_rare(tmp_path: Path) -> None:
    awkward = [
        any_sales_row(Item_Type="", Item_Weight=""),
        any_sales_row(Outlet_Type="", Outlet_Size=""),
        any_sales_row(Outlet_Type=" Grocery Store ", Outlet_Size=" "),
        any_sales_row(Item_Fat_Content="\tLOW FAT", Item_Visibility="", Item_MRP="1e-30"),
        any_sales_row(Outlet_Establishment_Year="", Item_MRP="-3.4e38"),
        any_sales_row(Item_Fat_Content="İ", Outlet_Location_Type='Tier "1",\nupstairs'),
    ]
    rows = make_sales(30) + [{**row, "Item_Identifier": f"FDX{number}"} for number, row in enumerate(awkward * 5)]
    write_sales(tmp_path, rows)

    assert preprocess([], tmp_path, Outputs()) == 0

    np.testing.assert_array_equal(encode_raw(tmp_path), read_features(tmp_path, 60))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(max_examples=count_examples(30), deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=10, max_size=14))
def test_makes_the_same_features_of_any_text(cells: list[tuple[str, str, str]]) -> None:
    rows = [
        any_sales_row(Item_Type=kind, Item_Weight="", Item_Fat_Content=fat, Outlet_Type=outlet, Outlet_Size="")
        for kind, fat, outlet in cells
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_sales(root, rows)

        assert preprocess([], root, Outputs()) == 0

        np.testing.assert_array_equal(encode_raw(root), read_features(root, len(rows)))


def drop_format(document: dict[str, Any]) -> None:
    del document["format"]


def raise_version(document: dict[str, Any]) -> None:
    document["version"] = 2


def rename_kind(document: dict[str, Any]) -> None:
    document["features"][0]["kind"] = "pickle"


def zero_scale(document: dict[str, Any]) -> None:
    document["features"][0]["scale"] = 0


def fill_by_nothing(document: dict[str, Any]) -> None:
    document["features"][0]["fill"]["by"] = "Item_Colour"


def rename_column(document: dict[str, Any]) -> None:
    document["features"][0]["column"] = "Item_Colour"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (drop_format, "not an encoding: KeyError('format')"),
        (raise_version, "format 'headrace-encoding' version 2, but 'headrace-encoding' version 1 is read"),
        (rename_kind, "feature kind 'pickle' is unknown"),
        (zero_scale, "feature 'Item_Weight' has mean "),
        (fill_by_nothing, "feature 'Item_Weight' is filled by 'Item_Colour', which is not a category"),
        (rename_column, "feature 'Item_Colour' is not one of the columns"),
    ],
)
def test_refuses_an_encoding_that_is_not_ours(
    preprocessed: Path, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    document = json.loads((preprocessed / "processing/encoding/encoding.json").read_text())
    document["features"].sort(key=lambda feature: feature["column"] != "Item_Weight")
    spoil(document)

    with pytest.raises(EncodingError) as raised:
        parse_encoding(json.dumps(document).encode())

    assert str(raised.value).startswith(reason)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"format": "headrace-encoding", "version": 1}'])
def test_refuses_a_file_that_is_no_encoding(content: bytes) -> None:
    with pytest.raises(EncodingError, match="not an encoding: "):
        parse_encoding(content)
