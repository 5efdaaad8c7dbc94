"""A run brings a batch where none was put before, and reads what was answered."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.workloads import big_mart, images
from headrace.workloads.delivery import Delivery, Folder
from headrace.workloads.photographs import make_photographs
from headrace.workloads.sales import COLUMNS, write_csv


@pytest.fixture
def site(tmp_path: Path) -> Any:
    return SimpleNamespace(delivery=Delivery(tmp_path))


@pytest.fixture
def given(tmp_path: Path) -> Folder:
    (tmp_path / "given").mkdir()
    return Folder(tmp_path / "given")


@pytest.fixture
def answers(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "answers")


def answer(given: Folder, answers: Folder, *, joined: bool) -> None:
    """Answer each line with its number."""
    answers.path.mkdir()
    for name in given.list_files():
        lines = given.read(name).decode().splitlines()
        said = [f"{line},{number}" if joined else str(number) for number, line in enumerate(lines)]
        (answers.path / f"{name}.out").write_text("".join(f"{line}\n" for line in said))


@pytest.mark.parametrize("joined", [True, False])
def test_reads_answers_with_and_without_what_was_asked(
    tmp_path: Path, site: Any, given: Folder, answers: Folder, *, joined: bool
) -> None:
    sales = tmp_path / "sales.csv"
    write_csv(sales, rows=10)
    run = big_mart.Run(sales, tmp_path)

    run.bring_batch(site, given)
    answer(given, answers, joined=joined)
    predictions = run.read_batch(given, answers)

    first = dict(zip(COLUMNS, sales.read_text().splitlines()[1].split(","), strict=True))
    assert [each.predicted for each in predictions] == [0, 2, 4, 6, 8]
    assert predictions[0].asked == f"{first['Item_Identifier']} at {first['Outlet_Identifier']}"
    assert predictions[0].actual == float(first["Item_Outlet_Sales"])


def test_leaves_a_batch_alone_that_somebody_else_has_put_there(
    tmp_path: Path, site: Any, given: Folder, answers: Folder
) -> None:
    (given.path / "monday.csv").write_text('"a, b",1\nc,2\n')
    run = big_mart.Run(None, tmp_path)

    run.bring_batch(site, given)
    answer(given, answers, joined=True)

    assert list(given.list_files()) == ["monday.csv"]
    assert [(each.asked, each.predicted, each.actual) for each in run.read_batch(given, answers)] == [
        ("a, b", 0, None),
        ("c", 1, None),
    ]


def test_leaves_out_a_row_that_is_not_one_line(tmp_path: Path, site: Any, given: Folder) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text('Item_Identifier,Outlet_Identifier,Item_Outlet_Sales\n"a\nb",OUT,1\nc,OUT,2\n')

    big_mart.Run(sales, tmp_path).bring_batch(site, given)

    assert given.read("batch.csv") == b"c,OUT\n"


def test_brings_held_out_photographs(tmp_path: Path, site: Any, given: Folder, answers: Folder) -> None:
    folder = tmp_path / "photographs"
    make_photographs(folder, classes=2, per_class=5)
    run = images.Run(folder, tmp_path)

    run.bring_batch(site, given)
    for name in given.list_files():
        out = answers.path / f"{name}.out"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({"predictions": [{"label": "cat", "probability": 0.5}]}))
    predictions = run.read_batch(given, answers)

    assert predictions
    assert {each.predicted for each in predictions} == {"cat (0.50)"}
    assert all(each.actual == each.asked.partition("/")[0] for each in predictions)
