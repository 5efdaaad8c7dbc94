import numpy as np
import pytest

from containers.images.training.evaluation import count_confusions, find_accuracy, format_metric

CLASSES = np.array([0, 1, 2, 2])
ANSWERS = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3]])


@pytest.mark.parametrize(("top", "accuracy"), [(1, 0.5), (2, 1.0), (5, 1.0)])
def test_counts_images_whose_class_is_among_the_best(top: int, accuracy: float) -> None:
    assert find_accuracy(CLASSES, ANSWERS, top=top) == accuracy


def test_counts_what_is_taken_for_what() -> None:
    assert count_confusions(CLASSES, ANSWERS).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]


def test_writes_metrics_with_six_digits() -> None:
    assert format_metric("validation:accuracy", 0.5) == "metric validation:accuracy=0.500000\n"
