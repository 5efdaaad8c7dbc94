"""On the public file of Big Mart's sales."""

import json
import shutil
from pathlib import Path

import pytest

from containers.big_mart.preprocessing.__main__ import main as preprocess
from containers.linear_learner.__main__ import main as fit
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import write_job


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bins", "hyperparameters", "metric", "least", "most"),
    [
        ("4", {"predictor_type": "multiclass_classifier", "num_classes": "4"}, "multiclass_accuracy", 0.78, 0.80),
        ("0", {"predictor_type": "regressor"}, "rmse", 1140, 1155),
    ],
)
def test_scores_what_the_page_says_on_the_real_file(
    tmp_path: Path,
    real_sales: Path,
    bins: str,
    hyperparameters: dict[str, str],
    metric: str,
    least: float,
    most: float,
) -> None:
    processing = tmp_path / "processing"
    (processing / "input").mkdir(parents=True)
    shutil.copy(real_sales, processing / "input")
    assert preprocess(["--layout", "recordio", "--bins", bins], tmp_path, Outputs()) == 0
    channels = {"train": processing / "train", "validation": processing / "test"}
    write_job(tmp_path, {**hyperparameters, "mini_batch_size": "100"}, channels)

    assert fit(["train"], tmp_path, Outputs()) == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    assert least <= metrics[f"validation:{metric}"] <= most
