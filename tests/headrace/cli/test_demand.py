import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace.cli import cli
from headrace.workloads import demand
from tests.headrace.demand.test_drawing import any_evaluation


def test_finds_nothing_wrong_with_made_up_demand(tmp_path: Path) -> None:
    demand.write_csv(tmp_path / "demand.csv", items=1)

    answer = CliRunner().invoke(cli, ["demand", "check", str(tmp_path / "demand.csv")])

    assert (answer.exit_code, answer.stdout) == (0, "")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_lists_problems_and_ends_with_1(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "demand.csv"
    path.write_text("date,store,item,sales\n2024-03-01,1,1,-1\n")

    answer = CliRunner().invoke(cli, ["demand", "check", str(path), *options])

    said = "sales -1 is negative; leave returns out of the sales, and write 0 where nothing else was sold"
    assert answer.exit_code == 1
    if options:
        assert json.loads(answer.stdout) == [{"line": 2, "text": said}]
    else:
        assert answer.stdout == f"{path}, line 2: {said}\n"


def test_draws_an_evaluation(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_bytes(any_evaluation())
    files = [str(tmp_path / name) for name in ("evaluation.json", "forecast.svg")]

    answer = CliRunner().invoke(cli, ["demand", "draw", files[0], "-o", files[1], "--title", "Tea"])

    assert (answer.exit_code, answer.stdout) == (0, "")
    assert (tmp_path / "forecast.svg").read_text().startswith("<svg ")


def test_says_what_an_evaluation_lacks(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text("{}")

    answer = CliRunner().invoke(cli, ["demand", "draw", str(path), "-o", str(tmp_path / "forecast.svg")])

    assert answer.exit_code == 1
    assert "has no forecasts" in answer.stderr
    assert not (tmp_path / "forecast.svg").exists()
