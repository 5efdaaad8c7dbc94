import numpy as np
import pytest

from containers.big_mart.training.evaluation import find_r2, find_rmse

LABELS = np.array([1.0, 2.0, 3.0])


def test_has_no_error_when_predictions_are_the_labels() -> None:
    assert (find_rmse(LABELS, LABELS), find_r2(LABELS, LABELS)) == (0.0, 1.0)


def test_explains_nothing_when_the_mean_is_predicted() -> None:
    mean = np.full(3, 2.0)

    assert find_rmse(LABELS, mean) == pytest.approx((2 / 3) ** 0.5)
    assert find_r2(LABELS, mean) == 0.0


def test_explains_nothing_when_labels_do_not_vary() -> None:
    assert find_r2(np.ones(3), np.zeros(3)) == 0.0
