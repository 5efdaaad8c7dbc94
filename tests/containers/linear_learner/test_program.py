"""The training program keeps the contract of the built-in linear learner."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from containers.linear_learner.__main__ import main
from containers.linear_learner.model import load_model
from containers.shared.job.outputs import Outputs
from headrace.algorithms import find_algorithm
from headrace.recordio import SparseRows, write_rows
from tests.containers.job_roots import list_files, write_job

CHANCE = np.random.default_rng(3)
FEATURES = (CHANCE.normal(size=(400, 3)) * [1, 50, 0.1] + [0, 900, 2]).astype(np.float32)
NUMBERS = (FEATURES @ np.array([3, 0.2, -40]) + 7 + CHANCE.normal(size=400)).astype(np.float32)
CLASSES = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.4, 0.7])).astype(np.float32)
RECORDIO = "application/x-recordio-protobuf"
REGRESSOR = {"predictor_type": "regressor", "mini_batch_size": "50"}
CLASSIFIER = {"predictor_type": "multiclass_classifier", "num_classes": "3", "mini_batch_size": "50"}
BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": "50"}


def run(root: Path, hyperparameters: dict[str, str], labels: np.ndarray, features: Any = FEATURES) -> int:
    for name in ("train", "validation"):
        write_rows(root / name / "rows.pbr", features, labels)
    channels = {name: root / name for name in ("train", "validation")}
    write_job(root, hyperparameters, channels, content_type=RECORDIO)
    return main(["train"], root, Outputs())


def fail(root: Path, *arguments: object) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments) == 1  # type: ignore[arg-type]
    return (root / "output/failure").read_text()


def read_metrics(root: Path) -> dict[str, float]:
    metrics: dict[str, float] = json.loads((root / "output/data/evaluation.json").read_text())["metrics"]
    return metrics


def test_leaves_a_model_that_is_data_only_an_evaluation_and_its_inputs(fitted: Path) -> None:
    made = {name for name in list_files(fitted) if name.startswith(("model", "output"))}

    assert made == {
        "model/linear-learner.json",
        "model/weights.npz",
        "output/data/evaluation.json",
        "output/data/inputs.json",
    }


def test_finds_the_line_of_least_squares(tmp_path: Path) -> None:
    assert run(tmp_path, {**REGRESSOR, "epochs": "60"}, NUMBERS) == 0

    expected = LinearRegression().fit(FEATURES, NUMBERS)
    error = float(np.mean((expected.predict(FEATURES) - NUMBERS) ** 2))
    assert read_metrics(tmp_path)["validation:mse"] == pytest.approx(error, rel=0.01)
    assert load_model(tmp_path / "model").weights[0] == pytest.approx(expected.coef_, rel=0.05)


def test_tells_classes_apart_as_well_as_scikit_learn(tmp_path: Path) -> None:
    assert run(tmp_path, {**CLASSIFIER, "epochs": "60", "early_stopping_patience": "60"}, CLASSES) == 0

    scaled = (FEATURES - FEATURES.mean(axis=0)) / FEATURES.std(axis=0)
    expected = LogisticRegression(C=1e3, max_iter=2000).fit(scaled, CLASSES)
    assert read_metrics(tmp_path)["validation:multiclass_accuracy"] >= expected.score(scaled, CLASSES) - 0.02


def test_says_what_sagemaker_reads_in_the_algorithms_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, {**CLASSIFIER, "epochs": "2"}, CLASSES) == 0

    log = capsys.readouterr().out
    assert "#quality_metric: host=algo-1, epoch=0, train multiclass_cross_entropy_objective <loss>=" in log
    assert "#early_stopping_criteria_metric: host=algo-1, epoch=1, criteria=multiclass_cross_entropy_objective" in log
    assert "#progress_metric: host=algo-1, completed 50 % of epochs" in log
    assert "#validation_score (algo-1) : ('macro_f_1.000', " in log
    metrics = read_metrics(tmp_path)
    for name in ("multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_f_beta", "objective_loss:final"):
        *_, last = re.findall(find_algorithm("linear-learner").metrics[f"validation:{name}"], log)
        assert float(last) == pytest.approx(metrics[f"validation:{name}"], abs=1e-5)


def test_says_that_it_is_not_the_algorithm_of_aws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {**REGRESSOR, "epochs": "1"}, NUMBERS) == 0

    assert "this is not AWS's algorithm" in capsys.readouterr().out


def test_scores_a_channel_to_test_by_and_none_that_is_not_there(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows/rows.pbr", FEATURES, NUMBERS)
    channels = dict.fromkeys(("train", "test"), tmp_path / "rows")
    write_job(tmp_path, {**REGRESSOR, "epochs": "1"}, channels)

    assert main(["train"], tmp_path, Outputs()) == 0

    metrics = read_metrics(tmp_path)
    assert metrics["test:mse"] == metrics["train:mse"]
    assert not any(name.startswith(("validation", "baseline")) for name in metrics)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize(
    "loss", ["squared_loss", "absolute_loss", "eps_insensitive_squared_loss", "huber_loss", "quantile_loss"]
)
def test_errs_less_than_the_mean_with_each_loss_and_optimizer(tmp_path: Path, loss: str, optimizer: str) -> None:
    assert run(tmp_path, {**REGRESSOR, "loss": loss, "optimizer": optimizer, "num_models": "2"}, NUMBERS) == 0

    metrics = read_metrics(tmp_path)
    assert metrics["validation:mse"] < 0.5 * metrics["baseline:mse"]


@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
@pytest.mark.parametrize("weight", ["1", "balanced"])
def test_tells_two_classes_apart(tmp_path: Path, loss: str, weight: str) -> None:
    labels = (CLASSES == 2).astype(np.float32)

    assert run(tmp_path, {**BINARY, "loss": loss, "positive_example_weight_mult": weight}, labels) == 0

    metrics = read_metrics(tmp_path)
    assert (
        metrics["validation:binary_classification_accuracy"] > 0.9 > metrics["baseline:binary_classification_accuracy"]
    )
    assert metrics["validation:roc_auc_score"] > 0.95


def test_makes_weights_zero_where_they_cost_more_than_they_are_worth(tmp_path: Path) -> None:
    assert run(tmp_path, {**REGRESSOR, "l1": "100"}, NUMBERS) == 0

    assert not load_model(tmp_path / "model").weights.any()


def test_learns_the_same_from_sparse_rows_that_it_does_not_shift(tmp_path: Path) -> None:
    import scipy.sparse

    features = np.where(FEATURES.mean(axis=0) < FEATURES, 1, 0).astype(np.float32)
    for name, rows in (("dense", features), ("sparse", SparseRows.of_matrix(scipy.sparse.csr_array(features)))):
        (tmp_path / name).mkdir()
        assert run(tmp_path / name, {**REGRESSOR, "epochs": "30"}, NUMBERS, rows) == 0

    dense, sparse = (read_metrics(tmp_path / name)["validation:mse"] for name in ("dense", "sparse"))
    assert sparse == pytest.approx(dense, rel=0.02)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"predictor_type": "regression"}, "hyperparameter predictor_type: found 'regression', allowed: one of"),
        ({**REGRESSOR, "epoch": "3"}, "hyperparameter epoch: linear learner has no such hyperparameter; did you mean"),
        ({**REGRESSOR, "loss": "logistic"}, "hyperparameter loss: logistic is not for predictor_type regressor; use"),
        ({"predictor_type": "regressor"}, "hyperparameter mini_batch_size: 1000, but channel 'train' has 400 rows;"),
        ({**REGRESSOR, "feature_dim": "11"}, "channel 'train' has 3 features, but there must be 11"),
        (CLASSIFIER, "channel 'train', row 1: the label "),
        (
            {**CLASSIFIER, "num_classes": "1000000"},
            "hyperparameter num_classes: found 1000000, and our own program takes up to 10000",
        ),
        (
            {**REGRESSOR, "optimizer": "sgd", "learning_rate": "1e9", "num_models": "1"},
            "hyperparameter learning_rate: the loss of every model grew beyond all bounds; lower it",
        ),
    ],
)
def test_refuses_what_cannot_be_fitted(tmp_path: Path, given: dict[str, str], message: str) -> None:
    assert fail(tmp_path, given, NUMBERS).startswith(message)


def test_names_the_row_with_a_missing_value(tmp_path: Path) -> None:
    features = FEATURES.copy()
    features[6, 1] = np.nan

    assert fail(tmp_path, REGRESSOR, NUMBERS, features).startswith(
        "channel 'train', row 7: a feature is missing or not finite"
    )


def test_refuses_a_content_type_that_the_algorithm_does_not_read(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows/rows.pbr", FEATURES, NUMBERS)
    write_job(tmp_path, REGRESSOR, {"train": tmp_path / "rows"}, content_type="text/libsvm")

    assert main(["train"], tmp_path, Outputs()) == 1
    assert (tmp_path / "output/failure").read_text() == (
        "channel 'train' has the content type 'text/libsvm'; the linear learner reads "
        "application/x-recordio-protobuf, text/csv"
    )
