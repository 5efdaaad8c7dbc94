"""An addition touches no more than the documentation says, and works.

All of it is added to one checkout: each drill counts what it touches itself, and what takes long is done once for all.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from headrace.loopback import find_free_port
from tests.drills.added_kinds import KIND, OPERATION
from tests.drills.added_setting import SETTING
from tests.drills.added_step import STEP
from tests.drills.added_transformation import TRANSFORMATION
from tests.drills.added_workload import RUN, SHOWN, WORKLOAD
from tests.drills.addition import Addition
from tests.drills.checkout import Checkout
from tests.examples import IS_EXHAUSTIVE, only_exhaustive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ADDITIONS = (TRANSFORMATION, WORKLOAD, STEP, SETTING, OPERATION, KIND)

# Workloads that are off as shipped: their settings, and what is said of the built-in algorithm that they name.
ENGINES: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "linearlearner": (
        {"engine": "sagemaker"},
        "linear-learner:1 is AWS's algorithm; here the container linear_learner stands in for it",
    ),
    "xgboost": (
        {"engine": "sagemaker", "preprocessing": {"bins": 0}},
        "sagemaker-xgboost:3.2-0 is AWS's algorithm; here the container xgboost stands in for it",
    ),
    "blazingtext": ({"training": {"hyperparameters": {"mode": "supervised"}}}, ""),
}
CHOSEN = list(ENGINES) if IS_EXHAUSTIVE else ["linearlearner"]
ONE_IS_ENOUGH = only_exhaustive("one workload that is off is run in make test")


@dataclass(frozen=True)
class Added:
    """A checkout to which everything has been added.

    Args:
        checkout: The checkout.
        touched: Which files each addition has made or changed, by its name.
        added_lines: How many lines the existing files have got of which an addition says how many.
    """

    checkout: Checkout
    touched: Mapping[str, set[str]]
    added_lines: Mapping[str, Mapping[str, int]]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Added:
    checkout = Checkout(tmp_path_factory.mktemp("checkout"), checks_types=True)
    touched, added_lines = {}, {}
    for addition in ADDITIONS:
        addition.add(checkout)
        touched[addition.name] = checkout.list_touched()
        added_lines[addition.name] = {file: checkout.count_added_lines(file) for file in addition.added_lines}
        checkout.commit()
    for file, text in (test for addition in ADDITIONS for test in addition.own_tests.items()):
        checkout.write(file, text)
    checkout.configure_dev({workload: ENGINES[workload][0] for workload in CHOSEN})
    return Added(checkout, touched, added_lines)


@pytest.mark.parametrize("addition", ADDITIONS, ids=str)
def test_touches_what_it_says_and_no_more(addition: Addition, added: Added) -> None:
    assert {addition.find_place(file) for file in added.touched[addition.name]} == addition.touches
    assert added.added_lines[addition.name] == addition.added_lines


def test_is_in_shape_and_has_its_types(added: Added) -> None:
    touched = sorted(file for files in added.touched.values() for file in files if file.endswith(".py"))

    for command in (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)):
        answer = added.checkout.run(*command, *touched)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_passes_its_own_tests_and_those_of_all_of_its_kind(added: Added) -> None:
    tests = dict.fromkeys(test for addition in ADDITIONS for test in (*addition.tests, *addition.own_tests))

    answer = added.checkout.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@dataclass(frozen=True)
class Kept:
    """The local cloud on which the workload of the documentation has run, and what that run said."""

    checkout: Checkout
    first: "subprocess.CompletedProcess[str]"

    def run(self, workload: str) -> Any:
        """The summary of a workload's run on the same cloud."""
        options = ["--workload", workload, "--json"]
        answer = self.checkout.run(sys.executable, "-m", "headrace", "local", "run", *options)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def kept(added: Added) -> Iterator[Kept]:
    options = ["--keep", "--port", str(find_free_port())]
    yield Kept(added.checkout, added.checkout.run(sys.executable, "-m", *RUN, *options))
    added.checkout.run(sys.executable, "-m", "headrace", "local", "down")


def test_ends_with_a_served_prediction(kept: Kept) -> None:
    assert kept.first.returncode == 0, kept.first.stderr
    assert kept.first.stdout.endswith(SHOWN)


def test_says_that_ours_stands_in_for_a_built_in_algorithm_and_nothing_else(kept: Kept) -> None:
    told = [line.partition("/")[2] for line in kept.first.stderr.splitlines()]

    assert sorted(told) == sorted(filter(None, (ENGINES[workload][1] for workload in CHOSEN)))


@pytest.mark.parametrize(
    ("workload", "metric", "baseline", "least"),
    [
        ("linearlearner", "validation:multiclass_accuracy", None, 0.6),
        pytest.param("xgboost", "baseline:rmse", "validation:rmse", 0, marks=ONE_IS_ENOUGH),
        pytest.param("blazingtext", "validation:accuracy", "baseline:accuracy", 0.2, marks=ONE_IS_ENOUGH),
    ],
)
def test_serves_what_a_workload_that_was_off_has_learnt(
    kept: Kept, workload: str, metric: str, baseline: str | None, least: float
) -> None:
    summary = kept.run(workload)

    metrics = summary["report"]["output"]["Metrics"]
    assert metrics[metric] - (metrics[baseline] if baseline else 0) >= least
    assert len(summary["predictions"]) == 5
    assert all(asked["actual"] for asked in summary["predictions"])
