"""A workload that is off runs when it is asked for, with SageMaker's built-in algorithm in its template."""

import json
import sys

import pytest

from headrace.loopback import find_free_port
from tests.drills.checkout import Checkout
from tests.examples import only_exhaustive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose settings choose the built-in algorithm."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    cdk = json.loads((checkout.folder / "cdk.json").read_text(encoding="utf-8"))
    cdk["context"]["environments"]["dev"] |= {
        "xgboost": {"engine": "sagemaker", "preprocessing": {"bins": 0}},
        "linearlearner": {"engine": "sagemaker"},
        "blazingtext": {"training": {"hyperparameters": {"mode": "supervised"}}},
    }
    checkout.write("cdk.json", json.dumps(cdk, indent=2))
    return checkout


def test_runs_a_template_with_the_built_in_algorithm_and_says_that_ours_stands_in(checkout: Checkout) -> None:
    options = ["--workload", "xgboost", "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)

    assert answer.returncode == 0, answer.stderr
    assert "/sagemaker-xgboost:3.2-0 is AWS's algorithm; here the container xgboost stands in for it" in answer.stderr
    summary = json.loads(answer.stdout)
    assert summary["report"]["output"]["Metrics"]["validation:rmse"] > 0
    assert len(summary["predictions"]) == 5
    assert all(isinstance(asked["predicted"], float) for asked in summary["predictions"])


@only_exhaustive("one workload that is off is run in make test, above")
@pytest.mark.parametrize(
    ("workload", "metric", "baseline", "least"),
    [
        ("linearlearner", "validation:multiclass_accuracy", None, 0.6),
        ("blazingtext", "validation:accuracy", "baseline:accuracy", 0.2),
    ],
)
def test_serves_what_text_and_linear_models_have_learnt(
    checkout: Checkout, workload: str, metric: str, baseline: str | None, least: float
) -> None:
    options = ["--workload", workload, "--json", "--port", str(find_free_port())]

    answer = checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)

    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    metrics = summary["report"]["output"]["Metrics"]
    assert metrics[metric] - (metrics[baseline] if baseline else 0) >= least
    assert len(summary["predictions"]) == 5
    assert all(asked["actual"] for asked in summary["predictions"])
