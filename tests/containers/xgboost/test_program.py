"""The training program keeps the contract of the built-in XGBoost."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import xgboost

from containers.shared.job.outputs import Outputs
from containers.xgboost.__main__ import main
from containers.xgboost.evaluation import ADDED
from headrace.algorithms import find_algorithm
from tests.containers.job_roots import list_files, write_job

ROWS = "".join(f"{a + 2 * b},{a},{b}\n" for a in range(12) for b in range(12))
CSV = "text/csv"


def run(root: Path, rows: str = ROWS, content_type: str | None = CSV, validation: str = ROWS, **given: str) -> int:
    channels = {}
    for name, text in (("train", rows), ("validation", validation)):
        if text:
            folder = root / name
            folder.mkdir()
            (folder / "rows").write_text(text)
            channels[name] = folder
    write_job(root, {"num_round": "5", **given}, channels, content_type=content_type)
    return main(["train"], root, Outputs())


def fail(root: Path, *arguments: str, **given: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments, **given) == 1
    return (root / "output/failure").read_text()


def test_leaves_a_model_that_is_data_only_an_evaluation_and_its_inputs(tmp_path: Path) -> None:
    assert run(tmp_path) == 0

    made = {name for name in list_files(tmp_path) if name.startswith(("model", "output"))}
    assert made == {"model/xgboost-model", "output/data/evaluation.json", "output/data/inputs.json"}
    assert (tmp_path / "model/xgboost-model").read_bytes().startswith(b"{")
    booster = xgboost.Booster(model_file=bytearray((tmp_path / "model/xgboost-model").read_bytes()))
    assert booster.num_boosted_rounds() == 5


def test_says_every_round_in_the_algorithms_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, eval_metric="mae,rmse,r2") == 0

    log = capsys.readouterr().out
    rounds = re.findall(
        r"^\[(\d)\]\ttrain-mae:[\d.]+\ttrain-rmse:[\d.]+\ttrain-r2:[\d.]+"
        r"\tvalidation-mae:[\d.]+\tvalidation-rmse:[\d.]+\tvalidation-r2:[\d.]+$",
        log,
        re.MULTILINE,
    )
    assert rounds == list("01234")
    evaluation = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    for name in ("validation:rmse", "validation:mae", "validation:r2", "train:rmse"):
        *_, last = re.findall(find_algorithm("xgboost").metrics[name], log)
        assert float(last) == pytest.approx(evaluation[name], abs=1e-4)


def test_says_that_it_is_not_the_algorithm_of_aws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0

    assert "this is not AWS's algorithm" in capsys.readouterr().out


def test_is_no_worse_than_the_most_frequent_class(boosted: Path) -> None:
    metrics = json.loads((boosted / "output/data/evaluation.json").read_text())["metrics"]

    assert metrics["validation:accuracy"] >= metrics["baseline:accuracy"]
    assert metrics["validation:merror"] == pytest.approx(1 - metrics["validation:accuracy"], abs=1e-5)
    assert metrics["validation:recall"] == pytest.approx(metrics["validation:accuracy"], abs=1e-5)


@pytest.mark.parametrize("content_type", ["text/libsvm", "text/x-libsvm", None])
def test_learns_the_same_from_libsvm_which_is_what_a_channel_has_unless_it_says_otherwise(
    tmp_path: Path, content_type: str | None
) -> None:
    rows = "".join(f"{label} 0:{a} 1:{b}\n" for label, a, b in csv.reader(ROWS.splitlines()))

    (tmp_path / "csv").mkdir()
    (tmp_path / "libsvm").mkdir()
    assert run(tmp_path / "csv") == 0
    assert run(tmp_path / "libsvm", rows, content_type, rows) == 0

    evaluations = [(tmp_path / name / "output/data/evaluation.json").read_text() for name in ("csv", "libsvm")]
    assert evaluations[0] == evaluations[1]


def test_trains_without_anything_to_judge_by(tmp_path: Path) -> None:
    assert run(tmp_path, ROWS, CSV, "") == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    assert metrics.keys() == {"train:rmse"}


def test_stops_early_and_keeps_the_best_trees(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).random((200, 3))
    rows = "".join(",".join(map(str, row)) + "\n" for row in noise)
    other = "".join(",".join(map(str, row)) + "\n" for row in noise[:, ::-1])

    assert run(tmp_path, rows, CSV, other, num_round="200", early_stopping_rounds="3") == 0

    booster = xgboost.Booster(model_file=bytearray((tmp_path / "model/xgboost-model").read_bytes()))
    assert booster.num_boosted_rounds() < 50


def test_weighs_rows_where_a_weight_stands_behind_the_label(tmp_path: Path) -> None:
    rows = "1,1000,5\n0,1,5\n" * 20

    assert run(tmp_path, rows, CSV, "", csv_weights="1", num_round="50") == 0

    booster = xgboost.Booster(model_file=bytearray((tmp_path / "model/xgboost-model").read_bytes()))
    assert booster.num_features() == 1
    assert booster.predict(xgboost.DMatrix(np.array([[5.0]])))[0] > 0.95


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_dept": "5"}, "hyperparameter max_dept: XGBoost has no such hyperparameter; did you mean max_depth?"),
        ({"num_round": "0"}, "hyperparameter num_round: found '0', allowed: a whole number from 1"),
        (
            {"objective": "multi:softmax"},
            "hyperparameter num_class: missing, and objective multi:softmax needs it; a whole number from 2",
        ),
        (
            {"objective": "multi:softmax", "num_class": "4"},
            "channel 'train', row 5: the label 4 is not one of the 4 classes 0 to 3 that num_class announces; the "
            "label stands first",
        ),
    ],
)
def test_refuses_hyperparameters_by_name(tmp_path: Path, given: dict[str, str], message: str) -> None:
    rows = "".join(f"{label},{label},1\n" for label in range(8))

    assert fail(tmp_path, rows, **given) == message


@pytest.mark.parametrize(
    ("given", "rows", "message"),
    [
        (
            {"objective": "survival:aft"},
            ROWS,
            "hyperparameter objective: survival:aft needs labels with two bounds, and our own program reads one label "
            "for each row",
        ),
        (
            {"eval_metric": "rmse,error@x"},
            ROWS,
            "hyperparameter eval_metric: found 'error@x', allowed: a number behind @, such as error@1.5",
        ),
        (
            {"objective": "multi:softmax", "num_class": "1000000"},
            ROWS,
            "hyperparameter num_class: found 1000000, and our own program takes up to 10000",
        ),
        (
            {"booster": "gblinear", "early_stopping_rounds": "3"},
            ROWS,
            "hyperparameter early_stopping_rounds: a model of booster gblinear cannot be cut back to its best round, "
            "as one of trees is; leave it out, or use gbtree",
        ),
        (
            {"save_model_on_termination": "true"},
            ROWS,
            "hyperparameter save_model_on_termination: found 'true', and our own program has only false; leave it out",
        ),
        (
            {"objective": "binary:logistic"},
            ROWS,
            "channel 'train', row 2: the label 2 is not one of the 2 classes 0 to 1 that objective binary:logistic "
            "announces; the label stands first",
        ),
        (
            {"objective": "reg:gamma"},
            ROWS,
            "channel 'train', row 1: the label 0 is not a number above 0, which objective reg:gamma needs; the label "
            "stands first",
        ),
        (
            {"csv_weights": "1"},
            "1,-2,3\n",
            "channel 'train', row 1: the weight -2 is not a number from 0; csv_weights is 1, so the second column is "
            "how much a row counts",
        ),
        ({"csv_weights": "1"}, "1,2\n", "channel 'train' has no feature behind the label; check what wrote it"),
        (
            {"monotone_constraints": "(1,0,1)"},
            ROWS,
            "XGBoost refuses the job: Check failed: p.monotone_constraints.size() <= n_features (3 vs. 2) : The size "
            "of monotone constraint should be less or equal to the number of features.; check its hyperparameters and "
            "what its channels bring",
        ),
        (
            {"eval_metric": "merror"},
            ROWS,
            "XGBoost refuses the job: Check failed: label_error >= 0 && label_error < static_cast<int32_t>(n_class): "
            "MultiClassEvaluation: label must be in [0, num_class), num_class=1 but found 22 in label; check its "
            "hyperparameters and what its channels bring",
        ),
    ],
)
def test_says_what_of_the_job_no_tree_can_grow_from(
    tmp_path: Path, given: dict[str, str], rows: str, message: str
) -> None:
    found = fail(tmp_path, rows, **given)

    assert re.sub(r"found \d+ in", "found 22 in", found) == message
    assert not (tmp_path / "model").exists()


def test_says_that_it_grows_trees_without_the_gpu_that_the_algorithm_would_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, tree_method="gpu_hist") == 0

    assert "gpu_not_used tree_method=gpu_hist instead=hist" in capsys.readouterr().err


@pytest.mark.parametrize("metric", sorted(ADDED.keys() - {"mse"}))
def test_reports_each_metric_that_is_added_to_those_of_xgboost(tmp_path: Path, metric: str) -> None:
    rows = "".join(f"{a > b:d},{a},{b}\n" for a in range(9) for b in range(9))

    assert run(tmp_path, rows, CSV, rows, objective="binary:logistic", eval_metric=metric) == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    assert metrics[f"validation:{metric}"] > 0.5


def test_leaves_out_a_score_that_the_rows_do_not_give(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # An error in parts of a label has no value where the label is 0.
    assert run(tmp_path, eval_metric="rmse,mape") == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    assert "validation:rmse" in metrics
    assert "validation:mape" not in metrics
    assert "metrics_undefined names=train:mape,validation:mape" in capsys.readouterr().err


def test_leaves_the_platforms_own_hyperparameters_alone(tmp_path: Path) -> None:
    assert run(tmp_path, _tuning_objective_metric="validation:rmse") == 0


@pytest.mark.parametrize(
    ("rows", "content_type", "message"),
    [
        (
            "label,a,b\n1,2,3\n",
            CSV,
            "channel 'train', rows: row 1, column 1: 'label' is not a number; the file must have no header",
        ),
        ("1,2\n3,x\n", CSV, "channel 'train', rows: row 2, column 2: 'x' is not a number"),
        ("1\n2\n", CSV, "channel 'train', rows: one column; the label is the first, and features follow"),
        (",2\n", CSV, "channel 'train', row 1: the label is not a finite number"),
        ("1 0:2\n0:3\n", "text/libsvm", "channel 'train', rows: line 2: '0:3' is not libsvm: no label"),
        ("1 -1:2\n", "text/libsvm", "channel 'train', rows: line 1: '1 -1:2' has a negative column"),
        (
            f"1 {2**70}:2\n",
            "text/libsvm",
            "channel 'train', rows: line 1: '1 1180591620717411303424:2' has a column beyond 9,999,999",
        ),
        (
            "1 0:2\n1 0:2 7:inf\n",
            "text/libsvm",
            "channel 'train', row 2: feature 7 is infinite, or too large for 32 bits; leave a value out that is not "
            "known, or scale the feature",
        ),
        (
            "1,2,3\n1,2,1e39\n",
            CSV,
            "channel 'train', row 2: feature 1 is infinite, or too large for 32 bits; leave a value out that is not "
            "known, or scale the feature",
        ),
        ("1,2,3\n1,2\n", CSV, "channel 'train', rows: row 2: 2 cells, but row 1 has 3"),
        ("1,2,3\n1,2,3,4\n", CSV, "channel 'train', rows: row 2: 4 cells, but row 1 has 3"),
        (
            ROWS,
            "application/json",
            "channel 'train' has the content type 'application/json'; XGBoost reads text/csv, text/libsvm, "
            "text/x-libsvm, application/x-parquet, application/x-recordio-protobuf",
        ),
    ],
)
def test_names_the_place_of_rows_that_it_cannot_read(
    tmp_path: Path, rows: str, content_type: str, message: str
) -> None:
    assert fail(tmp_path, rows, content_type) == message


def test_refuses_other_columns_to_judge_by(tmp_path: Path) -> None:
    assert fail(tmp_path, ROWS, CSV, "1,2,3,4\n") == (
        "channel 'validation' has 3 features, and channel 'train' 2; both need the same columns"
    )
