"""Scores are those of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_recall_fscore_support, r2_score

from containers.xgboost.evaluation import ADDED, choose_classes, find_r2, measure_baseline, weigh_classes


@pytest.mark.parametrize("seed", range(5))
def test_weighs_classes_as_scikit_learn_does(seed: int) -> None:
    chance = np.random.default_rng(seed)
    labels, answers = (chance.integers(0, most, 60).astype(np.float32) for most in (4, 3))

    expected = precision_recall_fscore_support(labels, answers, average="weighted", zero_division=0)[:3]

    assert weigh_classes(labels, answers) == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("place", [0, 1])
def test_averages_as_the_name_of_the_metric_says(average: str, place: int) -> None:
    labels, answers = (np.random.default_rng(2).integers(0, 3, (2, 60))).astype(np.float32)

    expected = precision_recall_fscore_support(labels, answers, average=average)[place]

    assert ADDED[f"{('precision', 'recall')[place]}_{average}"](labels, answers) == pytest.approx(expected)


def test_scores_the_second_of_two_classes_or_both_alike() -> None:
    labels, answers = (np.random.default_rng(2).integers(0, 2, (2, 60))).astype(np.float32)

    assert ADDED["f1_binary"](labels, answers) == pytest.approx(f1_score(labels, answers))
    assert ADDED["f1_macro"](labels, answers) == pytest.approx(f1_score(labels, answers, average="macro"))
    assert ADDED["balanced_accuracy"](labels, answers) == pytest.approx(balanced_accuracy_score(labels, answers))
    assert ADDED["f1_binary"](np.zeros(3, np.float32), np.zeros(3, np.float32)) == 0


def test_explains_the_variance_that_scikit_learn_does() -> None:
    labels, answers = np.random.default_rng(1).random((2, 50)).astype(np.float32)

    assert find_r2(labels, answers) == pytest.approx(r2_score(labels, answers), abs=1e-5)
    assert find_r2(np.ones(3, np.float32), answers[:3]) == 0


def test_takes_probabilities_and_classes_alike() -> None:
    assert choose_classes(np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])).tolist() == [1, 0]
    assert choose_classes(np.array([0.2, 0.8])).tolist() == [0, 1]
    assert choose_classes(np.array([2.0, 0.0])).tolist() == [2, 0]


def test_compares_with_the_most_frequent_class_or_the_mean() -> None:
    train, validation = np.array([0, 0, 1], np.float32), np.array([0, 1], np.float32)

    assert measure_baseline(train, validation, of_classes=True)["baseline:accuracy"] == 0.5
    assert measure_baseline(train, validation, of_classes=False)["baseline:rmse"] == pytest.approx(
        ((1 / 9 + 4 / 9) / 2) ** 0.5
    )
