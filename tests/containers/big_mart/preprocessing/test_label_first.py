"""Labels and features in one file, as built-in algorithms read CSV and RecordIO-protobuf."""

import json
from pathlib import Path

import numpy as np
import pytest

from containers.big_mart.preprocessing.__main__ import main
from containers.big_mart.preprocessing.labels import find_bins, fit_edges
from containers.shared.job.outputs import Outputs
from headrace import recordio
from tests.containers.job_roots import any_sales_row, list_files, make_sales, write_sales


def run(root: Path, *arguments: str) -> int:
    return main(arguments, root, Outputs())


def read_rows(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",")


def test_writes_one_file_for_each_part(tmp_path: Path) -> None:
    write_sales(tmp_path, make_sales(50))

    assert run(tmp_path, "--layout", "label-first") == 0

    made = {name for name in list_files(tmp_path) if not name.startswith("processing/input")}
    assert made == {
        "processing/train/train.csv",
        "processing/test/test.csv",
        "processing/encoding/encoding.json",
        "processing/encoding/inputs.json",
        "processing/encoding/profile.json",
    }


def test_has_the_same_rows_as_separate_files(tmp_path: Path) -> None:
    for name, layout in (("apart", "separate"), ("joined", "label-first")):
        write_sales(tmp_path / name, make_sales(80))
        assert run(tmp_path / name, "--layout", layout) == 0

    for part in ("train", "test"):
        apart, joined = (tmp_path / name / "processing" / part for name in ("apart", "joined"))
        rows = read_rows(joined / f"{part}.csv")
        assert np.array_equal(rows[:, 0], read_rows(apart / f"{part}_labels.csv"))
        assert np.array_equal(rows[:, 1:], read_rows(apart / f"{part}_features.csv"))


def test_deals_the_training_rows_out_to_files_of_about_one_size(tmp_path: Path) -> None:
    for name, files in (("one", 1), ("three", 3)):
        write_sales(tmp_path / name, make_sales(80))
        assert run(tmp_path / name, "--layout", "label-first", "--train-files", str(files)) == 0

    parts = sorted((tmp_path / "three/processing/train").iterdir())
    rows = [part.read_text().splitlines() for part in parts]
    assert [part.name for part in parts] == [f"train-{number:05}-of-00003.csv" for number in (1, 2, 3)]
    assert [len(part) for part in rows] == [24, 24, 24]
    together = [row for turn in zip(*rows, strict=True) for row in turn]
    assert together == (tmp_path / "one/processing/train/train.csv").read_text().splitlines()


def test_refuses_more_files_than_rows(tmp_path: Path) -> None:
    write_sales(tmp_path, make_sales(20))

    assert run(tmp_path, "--layout", "label-first", "--train-files", "19") == 1

    assert (tmp_path / "output/message").read_text() == (
        "--train-files: 19, but there are 18 training rows; give fewer"
    )


def test_puts_sales_in_equal_ranges_of_the_training_part(tmp_path: Path) -> None:
    write_sales(tmp_path, make_sales(200))

    assert run(tmp_path, "--layout", "label-first", "--bins", "4") == 0

    labels = read_rows(tmp_path / "processing/train/train.csv")[:, 0]
    described = json.loads((tmp_path / "processing/encoding/bins.json").read_text())
    assert set(labels) <= {0, 1, 2, 3}
    assert described["rows"] == np.bincount(labels.astype(int), minlength=4).tolist()
    assert len(set(np.round(np.diff(described["edges"]), 6))) == 1


def test_writes_the_same_rows_as_records_of_float32(tmp_path: Path) -> None:
    for layout in ("label-first", "recordio"):
        write_sales(tmp_path / layout, make_sales(80))
        assert run(tmp_path / layout, "--layout", layout, "--bins", "4") == 0

    for part in ("train", "test"):
        lines = read_rows(tmp_path / "label-first/processing" / part / f"{part}.csv")
        records = recordio.read_rows(tmp_path / "recordio/processing" / part / f"{part}.pbr")
        assert isinstance(records.features, np.ndarray)
        assert records.labels is not None
        assert records.features.dtype == records.labels.dtype == np.float32
        assert np.array_equal(records.features, lines[:, 1:].astype(np.float32))
        assert np.array_equal(records.labels, lines[:, 0])


def test_gives_what_is_beyond_the_ranges_to_the_first_and_the_last() -> None:
    target = np.array([-5.0, 0.0, 4.9, 10.0, 15.0])

    edges = fit_edges(target, np.array([False, True, True, True, False]), 2)

    assert edges.tolist() == [0, 5, 10]
    assert find_bins(target, edges).tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train-files", "0"], "--train-files: '0' is not a whole number from 1 to 100, such as 3"),
        (["--train-files", "3"], "--train-files: 3, but --layout separate writes one; add --layout label-first"),
        (["--bins", "1"], "--bins: '1' is neither 0 nor a whole number from 2 to 100, such as 4"),
        (["--bins", "many"], "--bins: 'many' is neither 0 nor a whole number from 2 to 100, such as 4"),
        (["--bins", "4"], "--bins: 4, but --layout separate has no ranges; add --layout label-first"),
    ],
)
def test_refuses_ranges_that_make_no_sense(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_sales(tmp_path, make_sales(20))

    assert run(tmp_path, *arguments) == 1

    assert (tmp_path / "output/message").read_text() == message


def test_refuses_sales_that_are_all_the_same(tmp_path: Path) -> None:
    write_sales(tmp_path, [any_sales_row()] * 20)

    assert run(tmp_path, "--layout", "label-first", "--bins", "4") == 1

    assert (
        "all training rows have the same sales, 1500, and make no 4 ranges" in (tmp_path / "output/message").read_text()
    )
