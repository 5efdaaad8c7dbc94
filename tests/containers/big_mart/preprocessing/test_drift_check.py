import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.big_mart.preprocessing.drift_check import main
from containers.shared.job.outputs import Outputs
from headrace.drift import contract
from headrace.drift.profiles import dump_profile, make_profile
from tests.containers.job_roots import list_files

ARGUMENTS = {
    contract.SINCE_ARGUMENT: "2026-11-28T06:00:00Z",
    contract.UNTIL_ARGUMENT: "2026-11-29T06:00:00Z",
    contract.THRESHOLD_ARGUMENT: "0.2",
    contract.MIN_ROWS_ARGUMENT: "100",
    contract.TITLE_ARGUMENT: "bigmart: requests to shop",
}


def run(root: Path, **changed: str) -> int:
    given = ARGUMENTS | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    return main([part for pair in given.items() for part in pair], root, Outputs())


def read_message(root: Path) -> Any:
    return json.loads((root / "output/message").read_text())


def make_cells(count: int, *, mean: float = 100, seed: int = 1) -> list[str]:
    draw = random.Random(seed)  # noqa: S311
    return [f"{draw.gauss(mean, 20):.2f}" for _ in range(count)]


def write_profile(root: Path, header: Sequence[str] = ("price",)) -> None:
    rows = [[cell] * len(header) for cell in make_cells(2_000)]
    folder = root / contract.PROFILE_FOLDER
    folder.mkdir(parents=True)
    (folder / "profile.json").write_text(dump_profile(make_profile(header, rows)))


def write_captured(root: Path, rows: Iterable[str], *, time: str = "2026-11-28T23:59:59Z") -> None:
    file = root / contract.CAPTURED_FOLDER / "0/08/a.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        for number, row in enumerate(rows):
            side = {"observedContentType": "text/csv", "data": row, "encoding": "CSV"}
            answer = side | {"data": "8"}
            line = {
                "captureData": {"endpointInput": side, "endpointOutput": answer},
                "eventMetadata": {"inferenceTime": time, "inferenceId": f"row-{number}"},
            }
            lines.write(f"{json.dumps(line)}\n")


def test_reports_a_column_that_has_drifted_as_page_document_and_message(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_captured(tmp_path, make_cells(600, mean=130, seed=2))

    assert run(tmp_path) == 0

    message = read_message(tmp_path)
    assert message.pop("Index") > 0.2
    assert message == {
        "Verdict": "drifted",
        "Reason": "drifted: price (among 600 rows, against 2000 of training)",
        "DriftedColumns": 1,
        "Columns": ["price"],
        "Rows": 600,
    }
    report = tmp_path / "processing/report"
    assert list_files(report) == {"report.html", "report.json"}
    assert "<title>bigmart: requests to shop</title>" in (report / "report.html").read_text()
    assert json.loads((report / "report.json").read_text())["drifted"] == ["price"]


def test_counts_requests_of_the_window_only(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_captured(tmp_path, make_cells(600, seed=2), time="2026-11-28T06:00:00Z")
    for outside in ("2026-11-28T05:59:59Z", "2026-11-29T06:00:00Z", "", "yesterday"):
        write_captured(tmp_path, make_cells(600, mean=500, seed=3), time=outside)

    assert run(tmp_path) == 0

    message = read_message(tmp_path)
    assert (message["Verdict"], message["Rows"]) == ("steady", 600)


def test_says_aloud_that_there_are_too_few(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_captured(tmp_path, make_cells(20))

    assert run(tmp_path) == 0

    assert read_message(tmp_path) == {
        "Verdict": "too few",
        "Reason": "too few rows to say anything: 20, and 151 are needed",
        "DriftedColumns": 0,
        "Columns": [],
        "Rows": 20,
    }


def test_judges_the_answers_whose_truth_is_known(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_captured(tmp_path, make_cells(600))
    truth = tmp_path / contract.TRUTH_FOLDER / "late.jsonl"
    truth.parent.mkdir()
    truth.write_text("".join(f'{{"inferenceId": "row-{n}", "truth": 5}}\n' for n in range(40)))

    assert run(tmp_path) == 0
    assert read_message(tmp_path)["Quality"] == {"rmse": 3.0}


def test_keeps_its_message_whole_whatever_columns_are_called(tmp_path: Path) -> None:
    long = '\x00"ü' * 200
    write_profile(tmp_path, [f"{number}{long}" for number in range(30)])
    write_captured(tmp_path, (",".join([cell] * 30) for cell in make_cells(600, mean=500)))

    assert run(tmp_path) == 0

    assert read_message(tmp_path)["DriftedColumns"] == 30


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"since": "today"}, "--since"),
        ({"until": "2026-11-29T06:00:00"}, "--until"),
        ({"threshold": "0"}, "a threshold and a number of rows are above 0"),
        ({"threshold": "nan"}, "a threshold and a number of rows are above 0"),
        ({"min_rows": "few"}, "--min-rows"),
    ],
)
def test_refuses_arguments_that_say_nothing(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    assert run(tmp_path, **changed) == 1

    assert message in (tmp_path / "output/failure").read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory; a version's record must have profile.json"),
        ("{}", 'profile.json of the version\'s record: is not a profile: there is no "format": "headrace-profile"'),
        ("{", "profile.json of the version's record: "),
    ],
)
def test_fails_where_the_record_has_no_profile(tmp_path: Path, content: str | None, message: str) -> None:
    write_captured(tmp_path, make_cells(10))
    if content is not None:
        write_profile(tmp_path)
        (tmp_path / contract.PROFILE_FOLDER / "profile.json").write_text(content)

    assert run(tmp_path) == 1

    assert message in (tmp_path / "output/message").read_text()
