"""`headrace recordio`: what it prints and writes, and what it says of bad files."""

import json
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from headrace.cli import cli
from headrace.cli.recordio import recordio
from headrace.recordio import ImageFile, ImageRecord, read_rows, write_images, write_rows

COMMANDS = [
    *(command for command in recordio.commands.values() if not isinstance(command, click.Group)),
    *recordio.commands["images"].commands.values(),  # type: ignore[attr-defined]
]
JPEG = b"\xff\xd8\xff"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["recordio", *map(str, arguments)])


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text("3,1.5,-2\n0,0.1,4\n")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "train.pbr"
    write_rows(path, np.array([[1.5, -2], [0.1, 4]], np.float32), np.array([3, 0], np.float32))
    return path


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(JPEG + b"a")
    (tmp_path / "images" / "b.jpg").write_bytes(JPEG + b"b")
    path = tmp_path / "train.lst"
    path.write_text("7\t1\ta.jpg\n5\t0\tb.jpg\n")
    return path


def test_writes_a_csv(tmp_path: Path, csv: Path, table: Path) -> None:
    answer = invoke("write", csv, tmp_path / "new.pbr")

    assert (answer.exit_code, answer.stdout) == (0, f"output\t{tmp_path / 'new.pbr'}\nrows\t2\n")
    assert (tmp_path / "new.pbr").read_bytes() == table.read_bytes()


def test_writes_a_csv_without_labels_of_another_type(tmp_path: Path, csv: Path) -> None:
    answer = invoke("write", csv, tmp_path / "new.pbr", "--no-labels", "--type", "float64", "--json")

    rows = read_rows(tmp_path / "new.pbr")
    assert json.loads(answer.stdout) == {"output": str(tmp_path / "new.pbr"), "rows": 2}
    assert isinstance(rows.features, np.ndarray)
    assert (rows.features.tolist(), rows.labels) == ([[3, 1.5, -2], [0, 0.1, 4]], None)


def test_reads_what_it_wrote(table: Path) -> None:
    assert invoke("read", table).stdout == "3.0,1.5,-2.0\n0.0,0.1,4.0\n"


def test_reads_the_first_rows_as_json(table: Path) -> None:
    answer = invoke("read", table, "--rows", "1", "--json")

    assert answer.stdout == '{"label": 3.0, "features": [1.5, -2.0]}\n'


def test_says_what_is_in_a_table(table: Path) -> None:
    assert invoke("info", table).stdout.splitlines() == [
        "rows\t2",
        "features\t2",
        "kind\tdense",
        "type\tfloat32",
        "label type\tfloat32",
        "lowest label\t0.0",
        "highest label\t3.0",
    ]


def test_says_what_is_in_a_table_without_labels(table: Path) -> None:
    write_rows(table, np.ones((2, 3), np.int64))

    answer = json.loads(invoke("info", table, "--json").stdout)

    assert answer == {
        "rows": 2,
        "features": 3,
        "kind": "dense",
        "type": "int32",
        "label_type": None,
        "lowest_label": None,
        "highest_label": None,
    }


def test_writes_the_images_of_a_list(tmp_path: Path, listed: Path) -> None:
    answer = invoke("images", "write", listed, tmp_path / "images", tmp_path / "train.rec", "--json")

    assert json.loads(answer.stdout) == {
        "output": str(tmp_path / "train.rec"),
        "index": str(tmp_path / "train.idx"),
        "images": 2,
    }
    with ImageFile(tmp_path / "train.rec") as images:
        assert images[5] == ImageRecord(5, (0.0,), JPEG + b"b")


def test_writes_the_images_of_a_multi_label_list(tmp_path: Path, listed: Path) -> None:
    listed.write_text("7\t1\t0\t1\ta.jpg\n")

    answer = invoke("images", "write", listed, tmp_path / "images", tmp_path / "train.rec")

    assert answer.exit_code == 0
    with ImageFile(tmp_path / "train.rec") as images:
        assert [record.labels for record in images] == [(1.0, 0.0, 1.0)]


def test_reads_images_into_a_new_folder(tmp_path: Path, listed: Path) -> None:
    invoke("images", "write", listed, tmp_path / "images", tmp_path / "train.rec")

    answer = invoke("images", "read", tmp_path / "train.rec", tmp_path / "copy")

    assert answer.stdout == f"folder\t{tmp_path / 'copy'}\nimages\t2\n"
    assert (tmp_path / "copy" / "train.lst").read_text() == "7\t1\t7.jpg\n5\t0\t5.jpg\n"
    assert (tmp_path / "copy" / "7.jpg").read_bytes() == JPEG + b"a"


def test_counts_images_by_class(tmp_path: Path) -> None:
    write_images(tmp_path / "train.rec", [ImageRecord(index, (index % 2,), JPEG) for index in range(3)])

    as_text = invoke("images", "info", tmp_path / "train.rec").stdout
    as_json = json.loads(invoke("images", "info", tmp_path / "train.rec", "--json").stdout)

    assert as_text == "images\t3\nbytes\t9\n\nlabel  images\n─────  ──────\n    0       2\n    1       1\n"
    assert as_json["classes"] == [{"labels": [0.0], "images": 2}, {"labels": [1.0], "images": 1}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("write none.csv new.pbr", "Error: none.csv: No such file or directory"),
        ("write text.csv new.pbr", "Error: text.csv, line 1, column 1: 'a' is not a number of type float32"),
        ("write . new.pbr", "Error: Invalid value for 'CSV': File '.' is a directory."),
        ("read text.csv", "Error: text.csv, record 0 at byte 0: starts with 61 2c 62 0a"),
        ("info text.csv", "Error: text.csv, record 0 at byte 0: starts with 61 2c 62 0a"),
        ("info empty", "Error: empty: has no records"),
        ("images write none.lst . new.rec", "Error: none.lst: No such file or directory"),
        ("images write text.csv . new.rec", "Error: text.csv, line 1: "),
        ("images write list.lst . new.rec", "Error: gone.jpg: No such file or directory"),
        (
            "images write list.lst . new.bin",
            "Error: new.bin: does not end in .rec; its index is beside it and ends in .idx",
        ),
        ("images read text.csv new", "Error: text.csv, record 0 at byte 0: starts with 61 2c 62 0a"),
        ("images info empty", "Error: empty: has no records"),
        ("images info none.rec", "Error: none.rec: No such file or directory"),
    ],
)
def test_explains_bad_files_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.csv").write_text("a,b\n")
    Path("list.lst").write_text("1\t0\tgone.jpg\n")
    Path("empty").touch()

    answer = invoke(*shlex.split(arguments))

    assert answer.exit_code == (2 if "Invalid value" in message else 1)
    assert answer.stdout == ""
    assert message in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "list.lst", "text.csv"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_gives_an_example_for_each_command(command: click.Command) -> None:
    assert command.help is not None
    assert "Example: headrace recordio" in command.help


def test_skips_bad_images_and_names_each(tmp_path: Path, listed: Path) -> None:
    with listed.open("a") as file:
        file.write("9\t0\tnone.jpg\n")
    whole = invoke("images", "write", listed, tmp_path / "images", tmp_path / "whole.rec")

    skipping = invoke("images", "write", listed, tmp_path / "images", tmp_path / "some.rec", "--skip-bad")

    assert whole.exit_code == 1
    assert "none.jpg: No such file" in whole.stderr
    assert skipping.exit_code == 0
    assert "skipped" in skipping.stderr
    assert "none.jpg: No such file" in skipping.stderr
    assert skipping.stdout.endswith("images\t2\nskipped\t1\n")


def test_writes_nothing_when_every_image_is_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.lst").write_text("0\t0\tnone.jpg\n")

    answer = invoke("images", "write", tmp_path / "bad.lst", tmp_path, tmp_path / "bad.rec", "--skip-bad")

    assert answer.exit_code == 1
    assert "no image can be packed" in answer.stderr
    assert not (tmp_path / "bad.rec").exists()


def test_tells_numbers_that_are_not_finite(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2,3\n0,nan,4\nnan,5,inf\n\n")

    written = invoke("write", tmp_path / "rows.csv", tmp_path / "rows.pbr")

    assert written.exit_code == 0
    assert "rows.csv, line 2, column 2: not a finite number, the first of 3" in written.stderr
    info = json.loads(invoke("info", tmp_path / "rows.pbr", "--json").stdout)
    assert (info["not_finite"], info["first_not_finite"]) == (3, "row 1, feature 0")
    assert (info["lowest_label"], info["highest_label"]) == (0, 1)


def test_counts_records_without_an_image(tmp_path: Path) -> None:
    write_images(tmp_path / "faces.rec", [ImageRecord(0, (1.0, 2.0), b""), ImageRecord(1, (0.0,), JPEG)])

    assert "headers\t1\n" in invoke("images", "info", tmp_path / "faces.rec").stdout
    assert invoke("images", "read", tmp_path / "faces.rec", tmp_path / "faces").stdout.endswith("headers\t1\n")
