import json
from typing import Any

import numpy as np
import pytest

from containers.resnet.evaluation import dump_evaluation


def evaluate(count: int) -> dict[str, Any]:
    """The evaluation of a network of so many classes that takes the last one for the first."""
    classes = np.arange(count)
    answers = np.where(classes == count - 1, 0, classes)
    evaluation: dict[str, Any] = json.loads(dump_evaluation({}, {}, list(map(str, classes)), classes, answers, {}))
    return evaluation


def test_counts_which_classes_are_taken_for_which() -> None:
    assert evaluate(3)["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("count", "is_counted"), [(1_000, True), (1_001, False), (10_000, False)])
def test_counts_them_up_to_a_number_of_classes_whose_square_fits_into_a_file(count: int, is_counted: bool) -> None:
    assert ("confusion" in evaluate(count)) == is_counted
