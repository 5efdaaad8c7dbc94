"""Of boxes that mean the same object the surest stays, and mean average precision is what its definition says."""

import numpy as np
import pytest

from containers.detection.finding import MOST_BOXES, find_objects, find_overlaps
from containers.detection.precision import find_average_precisions, find_mean

BOX = (0.1, 0.1, 0.5, 0.5)
NEAR = (0.12, 0.1, 0.52, 0.5)
FAR = (0.6, 0.6, 0.9, 0.9)


def scores_of(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_keeps_the_surest_of_overlapping_boxes_of_a_class() -> None:
    boxes = scores_of(BOX, NEAR, FAR)

    found = find_objects(scores_of((0.6, 0.0), (0.9, 0.3), (0.2, 0.0)), boxes, 0.45)

    assert found == pytest.approx(scores_of((0, 0.9, *NEAR), (1, 0.3, *NEAR), (0, 0.2, *FAR)))


def test_keeps_both_where_they_overlap_by_no_more_than_the_threshold() -> None:
    overlap = float(find_overlaps(scores_of(BOX)[0], scores_of(NEAR))[0])

    for threshold, count in ((overlap + 0.01, 2), (overlap - 0.01, 1)):
        assert len(find_objects(scores_of((0.6,), (0.9,)), scores_of(BOX, NEAR), threshold)) == count


def test_leaves_out_what_has_a_very_low_score_and_too_many() -> None:
    chance = np.random.default_rng(0)
    corners = chance.random((1000, 2)).astype(np.float32) * 0.9
    boxes = np.concatenate([corners, corners + 0.001], axis=1)

    assert find_objects(np.full((1000, 1), 0.009, np.float32), boxes, 0.45).shape == (0, 6)
    assert len(find_objects(np.full((1000, 1), 0.5, np.float32), boxes, 1.0)) == MOST_BOXES


@pytest.mark.parametrize(
    ("other", "overlap"), [(BOX, 1), (FAR, 0), ((0.3, 0.1, 0.7, 0.5), 1 / 3), ((0.5, 0.5, 0.5, 0.5), 0)]
)
def test_measures_what_two_boxes_share(other: tuple[float, ...], overlap: float) -> None:
    assert find_overlaps(scores_of(BOX)[0], scores_of(other)) == pytest.approx([overlap], abs=1e-6)


LABELS = [np.array([0, 0]), np.array([1])]
BOXES = [scores_of(BOX, FAR), scores_of(BOX)]
NOTHING = np.empty((0, 6), np.float32)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # All of it, and one answer for each.
        ([(0, 0.9, *BOX), (0, 0.8, *FAR)], [(1, 0.9, *BOX)], {0: 1, 1: 1}),
        # One of two is found.
        ([(0, 0.9, *BOX)], [(1, 0.9, *BOX)], {0: 0.5, 1: 1}),
        # What is found a second time is wrong: precision is 1, 1/2, 2/3 at recalls of 1/2, 1/2, 1.
        ([(0, 0.9, *BOX), (0, 0.8, *NEAR), (0, 0.7, *FAR)], [], {0: 0.5 + 0.5 * 2 / 3, 1: 0}),
        # A surer wrong answer: precision is 0, 1/2, 2/3, so 2/3 at no lower recall.
        ([(0, 0.95, 0.0, 0.9, 0.1, 1.0), (0, 0.9, *BOX), (0, 0.8, *FAR)], [], {0: 2 / 3, 1: 0}),
        # Another class, and another photograph, are no answer.
        ([(1, 0.9, *BOX)], [(0, 0.9, *BOX)], {0: 0, 1: 0}),
    ],
)
def test_computes_average_precision_as_its_definition_has_it(
    first: list[tuple[float, ...]], second: list[tuple[float, ...]], expected: dict[int, float]
) -> None:
    found = [scores_of(*rows) if rows else NOTHING for rows in (first, second)]

    precisions = find_average_precisions(found, LABELS, BOXES, 0.5)

    assert precisions == pytest.approx(expected)
    assert find_mean(precisions) == pytest.approx(sum(expected.values()) / 2)


def test_asks_for_the_overlap_that_is_given() -> None:
    found = [scores_of((0, 0.9, 0.3, 0.1, 0.7, 0.5)), NOTHING]

    lenient, strict = (find_average_precisions(found, LABELS, BOXES, overlap) for overlap in (0.3, 0.5))

    assert (lenient[0], strict[0]) == (0.5, 0)


def test_has_no_precision_of_nothing() -> None:
    assert find_mean(find_average_precisions([], [], [], 0.5)) == 0
