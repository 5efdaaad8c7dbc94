import hashlib
import json
from pathlib import Path

import pytest

from containers.forecasting.preprocessing.__main__ import main
from containers.shared.job.outputs import Outputs
from headrace.provenance import InputFile, read_inputs
from tests.containers.forecasting.demand_files import write_demand
from tests.containers.job_roots import list_files


def run(root: Path, *arguments: str) -> int:
    return main(arguments, root, Outputs())


def fail(root: Path, *arguments: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments) == 1
    assert not {name for name in list_files(root) if name.startswith("processing/train")}
    assert (root / "output/failure").read_text() == (root / "output/message").read_text()
    return (root / "output/message").read_text()


def write(root: Path, text: str, name: str = "demand.csv") -> None:
    path = root / "processing/input" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("date,store,item,sales\n" + text)


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_holds_the_last_days_out_of_what_is_trained_on(tmp_path: Path) -> None:
    write_demand(tmp_path)

    assert run(tmp_path) == 0

    train, test = (read(tmp_path / f"processing/{name}/{name}.json") for name in ("train", "test"))
    assert [one["cat"] for one in train] == [one["cat"] for one in test] == [[0, 0], [0, 1], [0, 2]]
    for one, whole in zip(train, test, strict=True):
        assert one["start"] == whole["start"] == "2021-01-01 00:00:00"
        assert isinstance(whole["target"], list)
        assert one["target"] == whole["target"][:-90]


def test_says_which_numbers_stores_and_items_have_and_what_it_has_read(tmp_path: Path) -> None:
    content = write_demand(tmp_path).read_bytes()

    assert run(tmp_path) == 0

    folder = tmp_path / "processing/categories"
    assert json.loads((folder / "categories.json").read_text()) == {
        "store": {"1": 0},
        "item": {"1": 0, "2": 1, "3": 2},
    }
    assert read_inputs((folder / "inputs.json").read_bytes()) == {
        "raw": [InputFile("demand.csv", hashlib.sha256(content).hexdigest(), len(content))]
    }


def test_tests_no_series_that_has_ended_before_and_trains_on_it(tmp_path: Path) -> None:
    write(tmp_path, "2024-01-01,1,old,5\n2024-01-02,1,old,5\n")
    write(tmp_path, "".join(f"2024-01-{day:02},1,new,{day}\n" for day in range(1, 11)), "new.csv")

    assert run(tmp_path, "--prediction-length", "2") == 0

    assert [one["cat"] for one in read(tmp_path / "processing/train/train.json")] == [[0, 0], [0, 1]]
    assert [one["cat"] for one in read(tmp_path / "processing/test/test.json")] == [[0, 1]]


@pytest.mark.parametrize("text", ["0", "365", "-1", "1.5", "a quarter", ""])
def test_refuses_a_horizon_that_it_cannot_hold_out(tmp_path: Path, text: str) -> None:
    assert fail(tmp_path, "--prediction-length", text) == (
        f"--prediction-length: {text!r} is not a whole number from 1 to 364"
    )


def test_says_file_line_and_remedy_of_a_gap(tmp_path: Path) -> None:
    write(tmp_path, "2024-01-01,1,1,5\n2024-01-02,1,1,5\n2024-01-04,1,1,5\n", "stores/north.csv")

    assert fail(tmp_path).startswith("stores/north.csv, line 4: item 1 in store 1: 2024-01-03 is missing")


def test_refuses_a_series_in_two_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write(tmp_path, "2024-01-01,1,1,5\n", name)

    assert fail(tmp_path) == "b.csv: item 1 in store 1 is in a.csv as well; keep a series in one file"


def test_refuses_an_input_without_files_and_history_that_is_too_short(tmp_path: Path) -> None:
    assert fail(tmp_path).startswith("no CSV file in ")
    write(tmp_path, "2024-01-01,1,1,5\n2024-01-02,1,1,5\n")

    assert fail(tmp_path) == (
        "no series has a day before 2023-10-05, the first of the 90 days that are held out; "
        "give more history, or a smaller --prediction-length"
    )
