import bz2
import csv
import gzip
import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from containers.big_mart.preprocessing import program
from containers.big_mart.preprocessing.__main__ import main
from containers.big_mart.preprocessing.schema import REQUIRED
from containers.shared.job.outputs import Outputs
from headrace.recipes import big_mart
from tests.containers.job_roots import any_sales_row, list_files, make_sales, write_sales, write_text
from tests.containers.programs import start_program

OUTPUT_FILES = {
    "processing/train/train_features.csv",
    "processing/train/train_labels.csv",
    "processing/test/test_features.csv",
    "processing/test/test_labels.csv",
    "processing/encoding/encoding.json",
    "processing/encoding/inputs.json",
    "processing/encoding/profile.json",
}
HEADER = ",".join(REQUIRED) + "\n"


def run(root: Path, *arguments: str) -> int:
    return main(arguments, root, Outputs())


def fail(root: Path, *arguments: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments) == 1
    message = (root / "output/message").read_text()
    assert (root / "output/failure").read_text() == message
    return message


def read_column(path: Path) -> list[str]:
    return path.read_text().split()


def format_rows(*rows: dict[str, str]) -> str:
    return "".join(",".join(row[column] for column in REQUIRED) + "\n" for row in rows)


def test_writes_features_labels_and_encoding(tmp_path: Path) -> None:
    write_sales(tmp_path, make_sales(50))

    assert run(tmp_path) == 0

    assert list_files(tmp_path) == {*OUTPUT_FILES, "processing/input/sales.csv"}


def test_splits_features_and_labels_alike(preprocessed: Path) -> None:
    processing = preprocessed / "processing"
    with (processing / "input/sales.csv").open(newline="") as file:
        target = sorted(float(row["Item_Outlet_Sales"]) for row in csv.DictReader(file))

    train, test = (read_column(processing / name / f"{name}_labels.csv") for name in ("train", "test"))

    assert (len(train), len(test)) == (540, 60)
    assert sorted(map(float, train + test)) == target
    assert len(read_column(processing / "train/train_features.csv")) == 540
    assert len(read_column(processing / "test/test_features.csv")) == 60


def test_standardises_the_training_part(preprocessed: Path) -> None:
    features = np.loadtxt(preprocessed / "processing/train/train_features.csv", delimiter=",")

    assert features.shape == (540, 10)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-6)


def test_gives_the_same_bytes_when_run_again(tmp_path: Path, preprocessed: Path) -> None:
    write_sales(tmp_path, make_sales(600))

    run(tmp_path)

    for name in OUTPUT_FILES:
        assert (tmp_path / name).read_bytes() == (preprocessed / name).read_bytes()


def test_holds_out_other_rows_when_the_seed_differs(tmp_path: Path, preprocessed: Path) -> None:
    write_sales(tmp_path, make_sales(600))

    run(tmp_path, "--seed", "43")

    name = "processing/test/test_labels.csv"
    assert (tmp_path / name).read_bytes() != (preprocessed / name).read_bytes()


def test_holds_out_the_part_that_is_asked_for(tmp_path: Path) -> None:
    write_sales(tmp_path, make_sales(50))

    run(tmp_path, "--train-test-split-ratio", "0.3")

    assert len(read_column(tmp_path / "processing/test/test_labels.csv")) == 15


def test_takes_columns_in_any_order(tmp_path: Path, preprocessed: Path) -> None:
    write_sales(tmp_path, make_sales(600), columns=REQUIRED[::-1])

    run(tmp_path)

    # The features follow the file's order.
    features = [
        np.loadtxt(root / "processing/test/test_features.csv", delimiter=",") for root in (tmp_path, preprocessed)
    ]
    order = [json.loads((tmp_path / "processing/encoding/encoding.json").read_text())["columns"]]
    assert order == [[column for column in REQUIRED[::-1] if column != "Item_Outlet_Sales"]]
    np.testing.assert_array_equal(np.sort(features[0], axis=1), np.sort(features[1], axis=1))


def test_reads_files_in_the_order_of_their_paths(tmp_path: Path, preprocessed: Path) -> None:
    sales = make_sales(600)
    write_sales(tmp_path, sales[400:], name="part-2/b.CSV")
    write_sales(tmp_path, sales[:400], name="part-1/c.csv", columns=("extra", *REQUIRED[1:], REQUIRED[0]))

    run(tmp_path)

    name = "processing/train/train_labels.csv"
    assert (tmp_path / name).read_bytes() == (preprocessed / name).read_bytes()


def test_names_columns_it_ignores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sales(tmp_path, make_sales(20), columns=(*REQUIRED, "colour"))

    assert run(tmp_path) == 0

    assert capsys.readouterr().err == "columns_ignored file=sales.csv columns='colour'\n"


def test_logs_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [any_sales_row(), any_sales_row(Outlet_Size=""), any_sales_row(Item_Weight="")]
    write_sales(tmp_path, rows)

    run(tmp_path, "--train-test-split-ratio", "0.4")

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["rows_read rows=3", "rows_split train=2 test=1 seed=42"]
    assert "cells_filled column=Item_Weight cells=1" in lines
    assert "cells_filled column=Outlet_Size cells=1" in lines
    assert lines[-1] == "preprocessing_end features=10"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + format_rows(any_sales_row()) + "\n" + format_rows(any_sales_row()) + "\n\n",
        "\ufeff" + HEADER + format_rows(any_sales_row(), any_sales_row()),
        (HEADER + format_rows(any_sales_row(), any_sales_row())).replace("\n", "\r\n"),
        (HEADER + format_rows(any_sales_row(), any_sales_row())).rstrip("\n"),
    ],
    ids=["blank lines", "byte order mark", "Windows line ends", "no last line end"],
)
def test_reads_two_rows_when_a_file_has(tmp_path: Path, text: str) -> None:
    write_text(tmp_path, text)

    assert run(tmp_path, "--train-test-split-ratio", "0.5") == 0

    assert len(read_column(tmp_path / "processing/test/test_labels.csv")) == 1
    assert len(read_column(tmp_path / "processing/train/train_labels.csv")) == 1


def test_accepts_short_last_columns_when_they_are_empty_cells(tmp_path: Path) -> None:
    columns = [*(column for column in REQUIRED if column != "Outlet_Size"), "Outlet_Size"]
    write_sales(tmp_path, [any_sales_row(Outlet_Size="")] * 3, columns=columns)

    assert run(tmp_path, "--train-test-split-ratio", "0.4") == 0


def test_refuses_a_folder_without_csv_files(tmp_path: Path) -> None:
    write_text(tmp_path, "hello", name="readme.txt")

    assert fail(tmp_path) == (
        f"no CSV file in {tmp_path}/processing/input; "
        "check that the job's input names a prefix with at least one .csv object"
    )


def test_refuses_an_empty_file(tmp_path: Path) -> None:
    write_text(tmp_path, "")

    assert fail(tmp_path) == "sales.csv: the file is empty; it needs a header and data rows"


def test_refuses_a_file_that_is_one_endless_line(tmp_path: Path) -> None:
    write_text(tmp_path, "x" * 200_000)

    assert fail(tmp_path) == (
        "sales.csv: not readable as CSV: field larger than field limit (131072); "
        "check that it is a text file with a header"
    )


def test_refuses_a_header_without_a_column(tmp_path: Path) -> None:
    write_text(tmp_path, HEADER.replace("Item_MRP,", "").replace("Outlet_Size", " Outlet_Size"))

    message = fail(tmp_path)

    assert message == (
        "sales.csv: the header lacks 'Item_MRP', 'Outlet_Size'; it has 'Item_Identifier', 'Item_Weight', "
        "'Item_Visibility', 'Outlet_Establishment_Year', 'Item_Fat_Content', 'Item_Type', 'Outlet_Identifier', "
        "' Outlet_Size', 'Outlet_Location_Type', 'Outlet_Type', 'Item_Outlet_Sales'"
    )


def test_refuses_a_column_that_comes_twice(tmp_path: Path) -> None:
    write_text(tmp_path, "Item_MRP," + HEADER)

    assert fail(tmp_path) == ("sales.csv: the header has 'Item_MRP' more than once; give every column its own name")


def test_refuses_files_with_headers_only(tmp_path: Path) -> None:
    write_text(tmp_path, HEADER)

    assert fail(tmp_path) == ("the input has no data rows, only headers; check what was uploaded to the job's input")


def test_refuses_rows_too_few_to_split(tmp_path: Path) -> None:
    write_sales(tmp_path, [any_sales_row()] * 4)

    assert fail(tmp_path) == (
        "the input has 4 rows, too few to split at a ratio of 0.1: 4 would be left for training and 0 for testing; "
        "add rows or choose a ratio that leaves at least one row for each"
    )


def test_says_where_text_is_instead_of_a_number(tmp_path: Path) -> None:
    rows = [any_sales_row(Item_Type="two\nlines"), any_sales_row(Item_MRP="abc"), any_sales_row(Item_Weight=" 1 ")]
    write_sales(tmp_path, rows)

    assert fail(tmp_path) == (
        "sales.csv, line 4, column Item_MRP: expected a number, found 'abc'; "
        "correct it, or leave the cell empty if unknown (1 more of this kind in the file)"
    )


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "1e400", "4e38"])
def test_says_where_a_number_is_not_finite(tmp_path: Path, cell: str) -> None:
    write_sales(tmp_path, [any_sales_row(), any_sales_row(Item_Weight=cell)])

    assert fail(tmp_path) == (
        f"sales.csv, line 3, column Item_Weight: {cell!r} is not a finite number; "
        "correct it, or leave the cell empty if unknown"
    )


@pytest.mark.parametrize(
    ("row", "found"),
    [("FDA01,9.3", 2), (format_rows(any_sales_row()).strip() + ",9", 13)],
    ids=["too few", "too many"],
)
def test_says_where_a_row_has_another_number_of_fields(tmp_path: Path, row: str, found: int) -> None:
    write_text(tmp_path, HEADER + format_rows(any_sales_row()) + row + "\n" + row + "\n", name="a/b.csv")

    assert fail(tmp_path) == (
        f"a/b.csv, line 3: expected 12 fields, found {found}; "
        "look for a missing comma or one that needs quotes (1 more of this kind in the file)"
    )


def test_finds_short_rows_when_the_last_column_may_be_empty(tmp_path: Path) -> None:
    columns = [*(column for column in REQUIRED if column != "Outlet_Size"), "Outlet_Size"]
    path = write_sales(tmp_path, [any_sales_row()] * 3, columns=columns)
    path.write_text(path.read_text().removesuffix(",Medium\n"))

    assert fail(tmp_path) == (
        "sales.csv, line 4: expected 12 fields, found 11; look for a missing comma or one that needs quotes"
    )


def test_says_where_the_target_is_empty(tmp_path: Path) -> None:
    write_sales(tmp_path, [any_sales_row(), any_sales_row(Item_Outlet_Sales="")])

    assert fail(tmp_path) == (
        "sales.csv, line 3, column Item_Outlet_Sales: the target is empty; give every row its sales, or remove the row"
    )


def test_says_where_the_target_is_not_finite(tmp_path: Path) -> None:
    write_sales(tmp_path, [any_sales_row(), any_sales_row(Item_Outlet_Sales="inf")])

    assert fail(tmp_path) == (
        "sales.csv, line 3, column Item_Outlet_Sales: 'inf' is not a finite number; "
        "correct it, or leave the cell empty if unknown"
    )


def test_says_where_a_cell_is_not_utf8(tmp_path: Path) -> None:
    rows = format_rows(any_sales_row(), any_sales_row(Item_Type="Café"))
    write_text(tmp_path, (HEADER + rows).encode("latin-1"))

    assert fail(tmp_path) == "sales.csv, line 3, column Item_Type: not UTF-8; save the file as UTF-8"


def test_refuses_a_header_that_is_not_utf8(tmp_path: Path) -> None:
    write_text(tmp_path, b"\xe9" + (HEADER + format_rows(any_sales_row())).encode())

    assert fail(tmp_path) == "sales.csv, line 1: not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_says_when_a_file_is_utf16(tmp_path: Path, encoding: str) -> None:
    text = HEADER + format_rows(any_sales_row())
    write_text(tmp_path, text.encode("utf-16") if encoding == "utf-16" else b"\xfe\xff" + text.encode(encoding))

    assert fail(tmp_path) == "sales.csv: not CSV but UTF-16; save the file as UTF-8"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(HEADER.encode(), mtime=0), "compressed with gzip; decompress it first"),
        (HEADER.encode("utf-16-le"), "UTF-16, or not text; save the file as UTF-8"),
        (b"PK\x03\x04rest", "a ZIP archive or a spreadsheet; unpack it, or save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook; save the sheet as CSV"),
        (b"PAR1rest", "Parquet; write it as CSV"),
        (bz2.compress(HEADER.encode()), "compressed with bzip2; decompress it first"),
        (lzma.compress(HEADER.encode()), "compressed with xz; decompress it first"),
        (b"\x28\xb5\x2f\xfdrest", "compressed with Zstandard; decompress it first"),
        (b"7z\xbc\xafrest", "a 7-Zip archive; unpack it"),
        (
            (HEADER + format_rows(any_sales_row())).replace("\n", "\r").encode(),
            "text with carriage returns as line ends; save it with line feeds",
        ),
    ],
)
def test_says_what_a_file_is_that_is_not_text(tmp_path: Path, content: bytes, what: str) -> None:
    write_text(tmp_path, content)

    assert fail(tmp_path) == f"sales.csv: not CSV but {what}"


@pytest.mark.parametrize(("separator", "named"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_names_the_separator_when_it_is_not_the_comma(tmp_path: Path, separator: str, named: str) -> None:
    write_text(tmp_path, (HEADER + format_rows(any_sales_row())).replace(",", separator).encode())

    assert fail(tmp_path) == f"sales.csv: the fields are separated by {named}; save the file with commas between them"


def test_says_where_a_nul_byte_is(tmp_path: Path) -> None:
    rows = format_rows(any_sales_row(), any_sales_row() | {"Item_Identifier": "FD\0A15"})
    write_text(tmp_path, (HEADER + rows).encode())

    assert fail(tmp_path) == "sales.csv, line 3, column Item_Identifier: a NUL byte; save the file again as text"


@pytest.mark.parametrize(
    ("cell", "rows_before"), [('"Da"iry', 1), ('"Dairy" ', 1), ('""Dairy', 1), ('"a""b"c', 1), ('"Da"iry', 12_000)]
)
def test_says_where_text_follows_a_quote(tmp_path: Path, cell: str, rows_before: int) -> None:
    rows = format_rows(*[any_sales_row()] * rows_before, any_sales_row(Item_Type=cell))
    write_text(tmp_path, HEADER + rows)

    assert fail(tmp_path).startswith(f"sales.csv, line {rows_before + 2}: not readable as CSV: ',' expected after '\"'")


@pytest.mark.parametrize("cell", ['"Da""iry"', '"Da,""i""ry"', '"""Da"""', '""', '"Da\niry"', "a'b"])
def test_reads_quotes_within_quotes(tmp_path: Path, cell: str) -> None:
    write_text(tmp_path, HEADER + format_rows(*[any_sales_row()] * 5, any_sales_row(Item_Type=cell)))

    assert run(tmp_path) == 0


def test_says_where_quotes_do_not_close(tmp_path: Path) -> None:
    write_text(tmp_path, HEADER + format_rows(any_sales_row(), any_sales_row(Item_Type='"Dairy')))

    assert fail(tmp_path) == "sales.csv, line 3: not readable as CSV: unexpected end of data; check the quotes"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("FD\rA15", "expected 12 fields, found 1"),
        ("F" * 131_073, "not readable as CSV: field larger than field limit (131072)"),
    ],
    ids=["carriage return", "long"],
)
def test_says_where_a_cell_is_that_polars_alone_can_read(tmp_path: Path, cell: str, reason: str) -> None:
    rows = format_rows(any_sales_row(), any_sales_row(Item_Identifier=cell), *[any_sales_row()] * 20)
    write_text(tmp_path, (HEADER + rows).encode())

    assert fail(tmp_path).startswith(f"sales.csv, line 3: {reason}")


def test_refuses_a_quote_inside_a_cell(tmp_path: Path) -> None:
    write_text(tmp_path, HEADER + format_rows(any_sales_row(Item_Type='Da"iry'), any_sales_row()))

    assert fail(tmp_path).startswith("sales.csv: not readable as CSV: ")


@pytest.mark.parametrize("ratio", ["0", "1", "-0.1", "nan", "ten"])
def test_refuses_a_ratio_that_splits_nothing(tmp_path: Path, ratio: str) -> None:
    assert fail(tmp_path, f"--train-test-split-ratio={ratio}") == (
        f"--train-test-split-ratio: {ratio!r} is not a number between 0 and 1, such as 0.1"
    )


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", "٣"])
def test_refuses_a_seed_that_is_not_a_whole_number(tmp_path: Path, seed: str) -> None:
    assert fail(tmp_path, f"--seed={seed}") == f"--seed: {seed!r} is not a whole number from 0 on, such as 42"


def test_refuses_unknown_arguments(tmp_path: Path) -> None:
    assert fail(tmp_path, "--sed", "1") == "unrecognized arguments: --sed 1; see --help"


@pytest.mark.slow
def test_explains_its_arguments(tmp_path: Path) -> None:
    with start_program(big_mart.PREPROCESSING, "--help", root=tmp_path) as process:
        explanation, _ = process.communicate()

    assert process.returncode == 0
    assert "--train-test-split-ratio" in explanation
    assert "--seed" in explanation


def test_leaves_nothing_when_the_data_are_wrong(tmp_path: Path) -> None:
    write_sales(tmp_path, [any_sales_row(), any_sales_row(Item_MRP="abc")])

    run(tmp_path)

    assert list_files(tmp_path) == {"processing/input/sales.csv", "output/failure", "output/message"}


def test_cuts_the_message_to_what_sagemaker_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sales(tmp_path, [any_sales_row(Item_MRP="x" * 3000)])

    assert len(fail(tmp_path)) == 1024
    assert len(capsys.readouterr().err) > 3000


def test_reports_an_internal_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sales(tmp_path, make_sales(50))

    def break_down(_encoding: object) -> str:
        raise ValueError("no ink")

    monkeypatch.setattr(program, "dump_encoding", break_down)

    assert run(tmp_path) == 2

    assert (tmp_path / "output/message").read_text() == "InternalError: ValueError: no ink"
    assert list_files(tmp_path) == {"processing/input/sales.csv", "output/failure", "output/message"}
    assert "Traceback" in capsys.readouterr().err
