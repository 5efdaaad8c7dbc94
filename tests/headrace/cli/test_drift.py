"""`headrace drift` as a program: what it says, writes and exits with."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.headrace.cli.programs import ForkServer

pytestmark = pytest.mark.slow


def make_rows(count: int, seed: int, mean: float = 100) -> list[str]:
    draw = random.Random(seed)  # noqa: S311
    return [f"{draw.gauss(mean, 20):.2f},{draw.choice(('Bern', 'Basel'))}" for _ in range(count)]


def write_captured(folder: Path, rows: Sequence[str]) -> None:
    """Files of captured requests, as SageMaker lays them out."""
    for hour in range(2):
        file = folder / f"shop/AllTraffic/2026/11/29/{hour:02}/00-00-000-a.jsonl"
        file.parent.mkdir(parents=True)
        lines = (
            {
                "captureData": {
                    "endpointInput": {"observedContentType": "text/csv", "data": row, "encoding": "CSV"},
                    "endpointOutput": {"observedContentType": "text/csv", "data": "10", "encoding": "CSV"},
                },
                "eventMetadata": {"eventId": "1", "inferenceTime": "2026-11-29T08:00:00Z", "inferenceId": f"row-{n}"},
                "eventVersion": "0",
            }
            for n, row in enumerate(rows[hour::2])
        )
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "not JSON\n")


@pytest.fixture
def folder(tmp_path: Path, headrace: ForkServer) -> Path:
    rows = [f"{row},{number}" for number, row in enumerate(make_rows(2_000, seed=1))]
    (tmp_path / "train.csv").write_text("\n".join(("price,city,sold", *rows, "")))
    made = headrace.run("drift", "profile", "train.csv", "--without", "sold", "-o", "profile.json", cwd=tmp_path)
    assert (made.code, made.stdout, made.stderr) == (0, "2 columns of 2000 rows\n", "")
    return tmp_path


def test_is_content_with_what_looks_like_the_training_data(folder: Path, headrace: ForkServer) -> None:
    write_captured(folder / "captured", make_rows(600, seed=2))

    done = headrace.run("drift", "check", "profile.json", "captured", cwd=folder)

    assert (done.code, done.stderr) == (0, "")
    assert "steady: no column has drifted (among 600 rows, against 2000 of training)" in done.stdout
    assert "2 lines left out: each is not JSON" in done.stdout


def test_ends_with_1_and_writes_the_page_when_a_column_has_drifted(folder: Path, headrace: ForkServer) -> None:
    write_captured(folder / "captured", make_rows(600, seed=3, mean=130))

    done = headrace.run("drift", "check", "profile.json", "captured", "--page", "page.html", "--json", cwd=folder)

    found = json.loads(done.stdout)
    assert (done.code, found["verdict"], found["drifted"], found["rows"]) == (1, "drifted", ["price"], 600)
    assert "drifted: price" in (folder / "page.html").read_text()


def test_says_that_there_are_too_few_rows(folder: Path, headrace: ForkServer) -> None:
    write_captured(folder / "captured", make_rows(20, seed=4, mean=500))

    done = headrace.run("drift", "check", "profile.json", "captured", cwd=folder)

    assert done.code == 0
    assert "too few rows to say anything: 20, and 100 are needed" in done.stdout


def test_judges_answers_by_what_turned_out_to_be_true(folder: Path, headrace: ForkServer) -> None:
    write_captured(folder / "captured", make_rows(600, seed=5))
    (folder / "truth.jsonl").write_text("".join(f'{{"inferenceId": "row-{n}", "truth": 14}}\n' for n in range(300)))

    done = headrace.run("drift", "check", "profile.json", "captured", "--truth", "truth.jsonl", cwd=folder)

    assert "rmse 4 against the truth of 600 rows" in done.stdout


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("profile", "train.csv", "--without", "cost"),
            "train.csv: there is no column 'cost'; there are price, city",
        ),
        (("profile", "broken.csv"), "broken.csv: row 3: has 1 cells, the header 2"),
        (("check", "train.csv", "train.csv"), "train.csv: is not JSON"),
        (("check", "captured.json", "train.csv"), "captured.json: is not a profile"),
        (("check", "profile.json", "empty"), "empty: there is no *.jsonl below it"),
    ],
)
def test_says_what_is_wrong_with_a_file(
    command: tuple[str, ...], message: str, folder: Path, headrace: ForkServer
) -> None:
    (folder / "broken.csv").write_text("a,b\n1,2\n3\n")
    (folder / "captured.json").write_text("{}")
    (folder / "empty").mkdir()

    done = headrace.run("drift", *command, cwd=folder)

    assert (done.code, done.stdout) == (1, "")
    assert message in done.stderr
