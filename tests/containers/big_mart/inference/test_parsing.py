import json
from pathlib import Path

import numpy as np
import pytest

from containers.big_mart.inference.encoding import Encoding, parse_encoding
from containers.big_mart.inference.parsing import BodyError, parse_csv, parse_json_lines
from tests.containers.job_roots import any_sales_row


@pytest.fixture(scope="module")
def encoding(preprocessed: Path) -> Encoding:
    return parse_encoding((preprocessed / "processing/encoding/encoding.json").read_bytes())


def csv_row(encoding: Encoding, **changes: str) -> str:
    row = any_sales_row(**changes)
    return ",".join(row[column] for column in encoding.columns) + "\n"


def refuse_csv(encoding: Encoding, body: str | bytes, header: bool | None = None) -> str:
    with pytest.raises(BodyError) as raised:
        parse_csv(body.encode() if isinstance(body, str) else body, encoding, header=header)
    return str(raised.value)


def refuse_json_lines(encoding: Encoding, body: str) -> str:
    with pytest.raises(BodyError) as raised:
        parse_json_lines(body.encode(), encoding)
    return str(raised.value)


def test_reads_rows_in_the_order_of_the_columns(encoding: Encoding) -> None:
    table = parse_csv((csv_row(encoding) + csv_row(encoding, Item_MRP="7")).encode(), encoding, header=None)

    assert table.rows == 2
    assert table.numbers["Item_MRP"] == [100, 7]
    assert table.texts["Item_Type"] == ("Dairy", "Dairy")


def test_recognises_a_header_with_other_columns_in_another_order(encoding: Encoding) -> None:
    row = {"colour": "red", **dict(reversed(any_sales_row(Item_MRP="7").items()))}
    body = f"{','.join(row)}\n{','.join(row.values())}\n"

    table = parse_csv(body.encode(), encoding, header=None)

    assert (table.rows, table.numbers["Item_MRP"]) == (1, [7])


def test_takes_the_first_row_as_header_when_told_so(encoding: Encoding) -> None:
    assert refuse_csv(encoding, csv_row(encoding) * 2, header=True) == (
        "the header has column Item_Weight 0 times, expected once"
    )


def test_takes_a_header_as_a_row_when_told_so(encoding: Encoding) -> None:
    header = ",".join(encoding.columns) + "\n"

    assert refuse_csv(encoding, header + csv_row(encoding), header=False) == (
        "row 1, column Item_Weight: expected a number, found 'Item_Weight'"
    )


def test_names_a_column_that_the_header_lacks(encoding: Encoding) -> None:
    assert refuse_csv(encoding, "Item_Identifier,Item_Weight\nFDA01,3\n") == (
        "the header has column Item_Visibility 0 times, expected once"
    )


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_reads_one_row_when_the_body_ends_with(encoding: Encoding, end: str) -> None:
    assert parse_csv((csv_row(encoding).strip() + end).encode(), encoding, header=None).rows == 1


def test_takes_an_empty_cell_as_unknown(encoding: Encoding) -> None:
    body = csv_row(encoding, Item_MRP="", Outlet_Size="")

    table = parse_csv(body.encode(), encoding, header=None)

    assert np.isnan(table.numbers["Item_MRP"]).tolist() == [True]
    assert table.texts["Outlet_Size"] == ("",)


@pytest.mark.parametrize("cell", ["abc", "1_0", "٣", "0x1", " ", "1,5"])
def test_names_row_and_column_of_text_instead_of_a_number(encoding: Encoding, cell: str) -> None:
    body = csv_row(encoding) + csv_row(encoding, Item_MRP=f'"{cell}"')

    assert refuse_csv(encoding, body) == f"row 2, column Item_MRP: expected a number, found {cell!r}"


@pytest.mark.parametrize("cell", ["nan", "-inf", "1e999", "4e38"])
def test_names_row_and_column_of_a_number_that_is_not_finite(encoding: Encoding, cell: str) -> None:
    assert refuse_csv(encoding, csv_row(encoding, Item_MRP=cell)) == (
        f"row 1, column Item_MRP: {cell!r} is not a finite number"
    )


@pytest.mark.parametrize(("row", "found"), [("1,2\n", 2), ("," * 11 + "\n", 12)])
def test_names_the_row_with_another_number_of_fields(encoding: Encoding, row: str, found: int) -> None:
    assert refuse_csv(encoding, csv_row(encoding) + row) == (
        f"row 2: expected 11 fields ({', '.join(encoding.columns)}), found {found}"
    )


@pytest.mark.parametrize("body", ["", "\n", "\r\n\n"])
def test_refuses_an_empty_body(encoding: Encoding, body: str) -> None:
    assert refuse_csv(encoding, body) == "the body is empty; send at least one row"
    assert refuse_json_lines(encoding, body) == "the body is empty; send at least one row"


def test_refuses_a_header_without_rows(encoding: Encoding) -> None:
    assert refuse_csv(encoding, ",".join(encoding.columns)) == (
        "the body has a header but no rows; send at least one row"
    )


def test_refuses_quotes_that_do_not_close(encoding: Encoding) -> None:
    assert refuse_csv(encoding, csv_row(encoding) + '"FDA01') == ("row 2: not readable as CSV: unexpected end of data")


def test_refuses_what_is_not_utf8(encoding: Encoding) -> None:
    assert refuse_csv(encoding, b"FDA01,\xff") == "byte 7 of the body is not UTF-8"


def json_row(**changes: object) -> dict[str, object]:
    """A row whose columns are all known."""
    numbers = ("Item_Weight", "Item_Visibility", "Item_MRP", "Outlet_Establishment_Year", "Item_Outlet_Sales")
    cells = any_sales_row().items()
    return {**{name: float(cell) if name in numbers else cell for name, cell in cells}, **changes}


def test_reads_json_lines_with_null_as_unknown(encoding: Encoding) -> None:
    lines = [json_row(Item_MRP=7), json_row(Item_MRP=None, Outlet_Size=None, Item_Outlet_Sales=None)]

    table = parse_json_lines("\n\n".join(map(json.dumps, lines)).encode(), encoding)

    assert table.rows == 2
    np.testing.assert_array_equal(table.numbers["Item_MRP"], [7, np.nan])
    assert table.texts["Item_Type"] == ["Dairy", "Dairy"]
    assert table.texts["Outlet_Size"] == [any_sales_row()["Outlet_Size"], ""]


@pytest.mark.parametrize("column", ["Item_Weight", "Outlet_Size", "Item_Identifier", "Item_Outlet_Sales"])
def test_lets_a_row_leave_out_what_may_be_unknown_or_is_no_feature(encoding: Encoding, column: str) -> None:
    row = json_row()
    del row[column]

    assert parse_json_lines(json.dumps(row).encode(), encoding).rows == 1


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("item_mrp", "Item_MRP"),
        ("Item MRP", "Item_MRP"),
        ("itemWeight", "Item_Weight"),
        ("Outlet_Sise", "Outlet_Size"),
        ("outlet-type", "Outlet_Type"),
    ],
)
def test_suggests_the_column_that_a_key_may_mean(encoding: Encoding, key: str, meant: str) -> None:
    row = json_row(**{key: 1})

    assert refuse_json_lines(encoding, json.dumps(row)) == f"row 1: unknown key {key!r}; did you mean {meant}?"


def test_names_the_columns_when_a_key_is_like_none(encoding: Encoding) -> None:
    reason = refuse_json_lines(encoding, json.dumps(json_row(q="red")))

    assert reason == f"row 1: unknown key 'q'; known are {', '.join(encoding.columns)}, Item_Outlet_Sales"


def test_names_the_columns_that_a_row_lacks(encoding: Encoding) -> None:
    left_out = ("Item_Fat_Content", "Outlet_Location_Type")
    row = {name: value for name, value in json_row().items() if name not in left_out}
    body = json.dumps(json_row()) + "\n" + json.dumps(row)

    assert refuse_json_lines(encoding, body) == (
        "row 2: Item_Fat_Content, Outlet_Location_Type missing; send null for an unknown value"
    )


def test_refuses_an_empty_row(encoding: Encoding) -> None:
    assert "missing; send null for an unknown value" in refuse_json_lines(encoding, "{}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ('"Item_MRP": "7"', "column Item_MRP: expected a number or null, found '7'"),
        ('"Item_MRP": true', "column Item_MRP: expected a number or null, found True"),
        ('"Item_MRP": [7]', "column Item_MRP: expected a number or null, found [7]"),
        ('"Item_MRP": NaN', "column Item_MRP: nan is not a finite number"),
        ('"Item_MRP": -Infinity', "column Item_MRP: -inf is not a finite number"),
        ('"Item_MRP": 1e999', "column Item_MRP: inf is not a finite number"),
        ('"Item_MRP": 1' + "0" * 60, "column Item_MRP: 1" + "0" * 60 + " is not a finite number"),
        ('"Item_Type": 7', "column Item_Type: expected text or null, found 7"),
        ('"Item_Type": {"name": "Dairy"}', "column Item_Type: expected text or null, found {…}"),
        ('"Item_Identifier": {}', "column Item_Identifier: expected a number, text or null, found {…}"),
        ('"Item_Outlet_Sales": NaN', "column Item_Outlet_Sales: expected a number, text or null, found nan"),
    ],
)
def test_names_row_and_column_of_a_wrong_value(encoding: Encoding, changes: str, reason: str) -> None:
    column = changes.split('"')[1]
    row = json.dumps({name: value for name, value in json_row().items() if name != column})[:-1] + f", {changes}}}"

    assert refuse_json_lines(encoding, f"{json.dumps(json_row())}\n{row}\n") == f"row 2, {reason}"


def test_names_a_key_that_is_there_twice(encoding: Encoding) -> None:
    row = json.dumps(json_row())[:-1] + ', "Item_MRP": 8}'

    assert refuse_json_lines(encoding, row) == "row 1: key 'Item_MRP' is there 2 times, expected once"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"Item_MRP": ', "not JSON: "),
        ("[" * 100_000, "not JSON: "),
        ("[1, 2]", "expected a JSON object, found '[1, 2]'"),
        ("NaN", "expected a JSON object, found 'NaN'"),
    ],
    ids=["cut short", "too deep", "a list", "a number"],
)
def test_names_the_row_that_is_no_object(encoding: Encoding, line: str, reason: str) -> None:
    assert refuse_json_lines(encoding, f"{json.dumps(json_row())}\n{line}").startswith(f"row 2: {reason}")


@pytest.mark.parametrize("changes", [{"Item_MRP": "7" * 9999}, {"Item_Type": [1] * 9999}, {"x" * 9999: 1}])
def test_says_no_more_of_a_long_value_than_a_message_holds(encoding: Encoding, changes: dict[str, object]) -> None:
    assert len(refuse_json_lines(encoding, json.dumps(json_row(**changes)))) < 400
