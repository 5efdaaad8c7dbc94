"""Forecasts of a public data set, which is not part of the repository."""

import json
import shutil
from pathlib import Path

import pytest

from containers.forecasting.engine.__main__ import main as train
from containers.forecasting.preprocessing.__main__ import main as preprocess
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import write_job
from tests.examples import only_exhaustive

pytestmark = pytest.mark.slow


@pytest.fixture
def real_demand(repository: Path) -> Path:
    """Thirty series of five years."""
    path = repository.parent / "shared/data/store_item/train_subset.csv"
    if not path.is_file():
        pytest.skip("../shared/data/store_item/train_subset.csv is absent")
    return path


@only_exhaustive("the same jobs over made-up demand")
def test_beats_the_seasonal_naive_and_is_calibrated_on_the_last_quarter(real_demand: Path, tmp_path: Path) -> None:
    (tmp_path / "raw/processing/input").mkdir(parents=True)
    shutil.copy(real_demand, tmp_path / "raw/processing/input/demand.csv")
    assert preprocess([], tmp_path / "raw", Outputs()) == 0
    channels = {name: tmp_path / "raw/processing" / name for name in ("train", "test")}
    write_job(tmp_path / "job", {}, channels)
    assert train(["train"], tmp_path / "job", Outputs()) == 0

    evaluation = json.loads((tmp_path / "job/output/data/evaluation.json").read_text())

    assert evaluation["metrics"]["test:smape"] < 0.75 * evaluation["metrics"]["baseline:smape"]
    assert evaluation["metrics"]["test:coverage_error"] <= 0.05
