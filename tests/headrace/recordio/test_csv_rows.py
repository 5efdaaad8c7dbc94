from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from headrace.recordio import RecordIOError, Rows, SparseRows, TensorType, csv_rows
from headrace.recordio.csv_rows import read_csv, render_csv, render_json

SPARSE = Rows(SparseRows(np.array([1.5], np.float32), np.array([1]), np.array([0, 0, 1]), (2, 3)), np.array([0, 1]))


def read(path: Path, content: str | bytes, tensor_type: TensorType = TensorType.FLOAT32) -> Rows:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [rows] = read_csv(path, tensor_type)
    return rows


def test_reads_the_label_first(tmp_path: Path) -> None:
    rows = read(tmp_path / "rows.csv", "\ufeff3,1.5,-2e3\r\n0,nan,inf")

    assert isinstance(rows.features, np.ndarray)
    assert rows.labels is not None
    assert rows.labels.tolist() == [3, 0]
    assert np.array_equal(rows.features, np.array([[1.5, -2000], [np.nan, np.inf]], np.float32), equal_nan=True)


def test_reads_rows_without_labels(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("3\n4\n")

    [rows] = read_csv(tmp_path / "rows.csv", TensorType.INT32, labelled=False)

    assert isinstance(rows.features, np.ndarray)
    assert (rows.features.tolist(), rows.labels) == ([[3], [4]], None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["label,a,b"],
            "line 1, column 1: 'label' is not a number of type float32; give numbers only, without a header",
        ),
        (["1,2,3", "1,,3"], "line 2, column 2: '' is not a number of type float32"),
        (["1,2,3", "1,2,3", "1,2"], "line 3: has 2 fields, expected 3"),
        (["1,2,3", "", "1,2,3"], "line 2: has 1 fields, expected 3"),
        (["1,2,3", "1,2,3,4"], "line 2: has 4 fields, expected 3"),
        (["1,2,1e400"], "line 1, column 3: '1e400' is not a number of type float32"),
        (["1,2,1e39"], "line 1, column 3: '1e39' is not a number of type float32"),
        (["1;2;3"], "line 1, column 1: '1;2;3' is not a number of type float32"),
    ],
)
@pytest.mark.parametrize("most_lines", [1, 1000])
def test_says_what_is_wrong_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Sequence[str], message: str, most_lines: int
) -> None:
    monkeypatch.setattr(csv_rows, "MOST_LINES", most_lines)
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))

    with pytest.raises(RecordIOError) as raised:
        list(read_csv(path))

    assert str(raised.value).startswith(f"{path}, {message}")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n  \r\n"])
@pytest.mark.parametrize("most_lines", [1, 2, 1000])
def test_reads_past_blank_lines_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, most_lines: int
) -> None:
    monkeypatch.setattr(csv_rows, "MOST_LINES", most_lines)
    (tmp_path / "rows.csv").write_text(f"1,2\n3,4{end}")

    assert sum(len(rows) for rows in read_csv(tmp_path / "rows.csv")) == 2


@pytest.mark.parametrize("text", ["1.5", "nan", "2147483648"])
def test_takes_whole_numbers_of_32_bits_only_where_these_are_wanted(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecordIOError, match=f"column 2: '{text}' is not a number of type int32"):
        read(tmp_path / "rows.csv", f"1,{text}\n", TensorType.INT32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows; give lines of numbers"),
        (b"\n \n", "has no rows; give lines of numbers"),
        (b"1\n2\n", "has one column, which is the label; add features"),
        (b"\xff\xfe1", "is not UTF-8 text"),
    ],
)
def test_refuses_files_of_another_kind(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RecordIOError, match=message):
        read(tmp_path / "rows.csv", content)


def test_renders_numbers_as_short_as_they_read_back() -> None:
    rows = Rows(np.array([[0.1, 3]], np.float32), np.array([2], np.int32))

    assert list(render_csv(rows)) == ["2,0.1,3.0"]


def test_renders_sparse_rows_with_their_zeros() -> None:
    assert list(render_csv(SPARSE)) == ["0,0.0,0.0,0.0", "1,0.0,1.5,0.0"]


def test_renders_sparse_rows_as_json_with_their_keys() -> None:
    assert list(render_json(SPARSE)) == [
        '{"label": 0, "keys": [], "values": [], "width": 3}',
        '{"label": 1, "keys": [1], "values": [1.5], "width": 3}',
    ]


def test_renders_dense_rows_as_json() -> None:
    assert list(render_json(Rows(np.array([[1.0, 2.0]])))) == ['{"features": [1.0, 2.0]}']
