import numpy as np
import pytest

from containers.images.training.evaluation import count_confusions, find_accuracy, weigh_classes

CLASSES = np.array([0, 1, 2, 2])
ANSWERS = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3]])


@pytest.mark.parametrize(("top", "accuracy"), [(1, 0.5), (2, 1.0), (5, 1.0)])
def test_counts_images_whose_class_is_among_the_best(top: int, accuracy: float) -> None:
    assert find_accuracy(CLASSES, ANSWERS, top=top) == accuracy


def test_counts_what_is_taken_for_what() -> None:
    assert count_confusions(CLASSES, ANSWERS).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]


def test_weighs_precision_recall_and_f1_by_the_photographs_of_each_class() -> None:
    # Classes 0 and 2 have a precision of 1/2 and 1, class 1 is never recognized.
    precision, recall, f1 = weigh_classes(CLASSES, ANSWERS)

    assert precision == pytest.approx((0.5 * 1 + 0 * 1 + 1 * 2) / 4)
    assert recall == find_accuracy(CLASSES, ANSWERS, top=1)
    assert f1 == pytest.approx((2 / 3 * 1 + 0 * 1 + 2 / 3 * 2) / 4)


def test_counts_a_class_that_no_photograph_is_taken_for_as_imprecise() -> None:
    answers = np.array([[0.9, 0.1], [0.8, 0.2]])

    assert weigh_classes(np.array([0, 1]), answers) == pytest.approx((0.25, 0.5, 1 / 3))
