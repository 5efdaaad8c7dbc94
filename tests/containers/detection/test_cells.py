"""What cells should say of boxes is read back as those boxes."""

import numpy as np
import pytest

from containers.detection.cells import decode, make_targets

GRID, CLASSES = 10, 3
LARGE, SMALL = (0.1, 0.2, 0.7, 0.9), (0.3, 0.45, 0.38, 0.52)


def test_reads_back_the_boxes_that_it_was_made_from() -> None:
    boxes = np.array([LARGE, SMALL], np.float32)

    targets = make_targets(np.array([2, 0]), boxes, GRID, CLASSES)

    logits = np.where(targets.classes > 0, 9, -9).astype(np.float32)
    scores, found = decode(np.concatenate([logits, targets.boxes])[None], CLASSES)
    for label, box in ((2, LARGE), (0, SMALL)):
        cells = np.flatnonzero(scores[0, :, label] > 0.5)
        assert len(cells)
        assert found[0, cells] == pytest.approx(np.array([box] * len(cells)), abs=1e-5)


def test_gives_a_cell_to_the_smaller_of_two_boxes() -> None:
    boxes = np.array([SMALL, LARGE], np.float32)

    targets = make_targets(np.array([0, 2]), boxes, GRID, CLASSES)

    assert targets.classes[:, 4, 3].tolist() == [1, 0, 0]
    assert np.array_equal(targets.classes.sum(axis=0) > 0, targets.is_object)


@pytest.mark.parametrize("box", [(0.99, 0.99, 1.0, 1.0), (0.0, 0.0, 0.001, 0.001), (0.0, 0.0, 1.0, 1.0)])
def test_finds_a_cell_for_every_box(box: tuple[float, ...]) -> None:
    assert make_targets(np.array([1]), np.array([box], np.float32), GRID, CLASSES).is_object.any()


def test_says_finite_numbers_of_a_box_that_single_precision_leaves_nothing_of() -> None:
    box = np.array([(0.5, 0.5, 0.5 + 1e-12, 0.9)], np.float32)

    assert np.isfinite(make_targets(np.array([1]), box, GRID, CLASSES).boxes).all()


def test_says_nothing_of_a_photograph_without_boxes() -> None:
    targets = make_targets(np.empty(0, np.int64), np.empty((0, 4), np.float32), GRID, CLASSES)

    assert not targets.is_object.any()
    assert not targets.classes.any()


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_keeps_boxes_of_any_logits_within_the_photograph(logit: float) -> None:
    wild = np.full((1, CLASSES + 4, GRID, GRID), logit, np.float32)

    scores, boxes = decode(wild, CLASSES)

    assert scores == pytest.approx(np.full_like(scores, logit > 0))
    assert boxes.min() >= 0
    assert boxes.max() <= 1
