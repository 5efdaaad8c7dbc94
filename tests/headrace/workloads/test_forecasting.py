"""What a run asks a forecasting endpoint, and how it reads the answers."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.demand import DemandError
from headrace.workloads import demand, forecasting
from headrace.workloads.delivery import Delivery, Folder

DAYS = 28
LAST = "2024-12-31"


class Site(SimpleNamespace):
    """A platform whose endpoint forecasts 3 on every day."""

    asked: Any = None

    def read_training_request(self, _recipe: object) -> Any:
        return {"HyperParameters": {"prediction_length": str(DAYS), "test_quantiles": "[0.1, 0.5, 0.9]"}}

    def invoke(self, _endpoint_name: str, body: bytes, **_types: str) -> bytes:
        self.asked = json.loads(body)
        return json.dumps({"predictions": [any_forecast() for _ in self.asked["instances"]]}).encode()


def any_forecast() -> dict[str, Any]:
    return {"quantiles": {"0.1": [1.0] * DAYS, "0.5": [3.0] * DAYS, "0.9": [5.0] * DAYS}}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(delivery=Delivery(tmp_path))


@pytest.fixture
def run(tmp_path: Path) -> forecasting.Run:
    demand.write_csv(tmp_path / "demand.csv", stores=1, items=2)
    return forecasting.Run(tmp_path / "demand.csv", tmp_path / "scratch")


def test_asks_for_held_out_days_and_shows_what_was_sold(run: forecasting.Run, site: Any, tmp_path: Path) -> None:
    predictions = run.ask_endpoint(site, "shop").predictions

    sold = [float(line.split(",")[3]) for line in (tmp_path / "demand.csv").read_text().splitlines() if LAST in line]
    assert site.asked["configuration"] == {"output_types": ["quantiles"], "quantiles": ["0.1", "0.5", "0.9"]}
    assert {len(one["target"]) for one in site.asked["instances"]} == {1461 - DAYS}
    assert predictions[-1].asked == f"item 2 in store 1 on {LAST}"
    assert predictions[-1].predicted == "3.0 (1.0 to 5.0)"
    assert predictions[-1].actual == sold[-1]


@pytest.mark.parametrize("joined", [True, False])
def test_brings_a_batch_and_reads_what_was_answered(
    run: forecasting.Run, site: Any, tmp_path: Path, *, joined: bool
) -> None:
    given, answers = Folder(tmp_path / "given"), Folder(tmp_path / "answers")
    for folder in (given, answers):
        folder.path.mkdir()

    run.bring_batch(site, given)
    lines = [json.loads(line) for line in given.read("batch.jsonl").splitlines()]
    said = [{**line, "SageMakerOutput": any_forecast()} if joined else any_forecast() for line in lines]
    (answers.path / "batch.jsonl.out").write_text("".join(f"{json.dumps(line)}\n" for line in said))

    predictions = run.read_batch(given, answers)
    assert [each.asked for each in predictions] == ["item 1 in store 1 on 2024-12-17", f"item 2 in store 1 on {LAST}"]
    assert all(isinstance(each.actual, float) for each in predictions)


def test_refuses_data_before_anything_is_deployed(tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_text("date,store,item,sales\n2024-03-01,1,1,-1\n")

    with pytest.raises(DemandError, match=r"demand\.csv, line 2: sales -1 is negative"):
        forecasting.Run(path, tmp_path / "scratch")
