"""What is learnt from is changed a little, and boxes go with their photographs."""

import numpy as np

from containers.detection.drawing import change

SIDE = 80


def test_moves_and_mirrors_boxes_with_their_photographs() -> None:
    boxes = np.array([(0.3, 0.4, 0.6, 0.5)], np.float32)
    photograph = np.zeros((SIDE, SIDE, 3), np.uint8)
    photograph[32:40, 24:48] = 255

    seen = set()
    for seed in range(20):
        changed, labels, moved = change(photograph, np.array([1]), boxes, np.random.default_rng(seed))

        rows, columns, _ = np.nonzero(changed)
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.allclose(moved[0] * SIDE, expected, atol=1e-3)
        assert labels.tolist() == [1]
        seen.add(tuple(expected))
    assert len(seen) > 10


def test_looks_no_more_for_what_has_left_the_photograph() -> None:
    boxes = np.array([(0.0, 0.0, 0.02, 1.0), (0.2, 0.2, 0.8, 0.8)], np.float32)
    counts = set()
    for seed in range(20):
        _, labels, moved = change(
            np.zeros((SIDE, SIDE, 3), np.uint8), np.array([0, 1]), boxes, np.random.default_rng(seed)
        )

        assert moved.min() >= 0
        assert moved.max() <= 1
        assert 1 in labels
        counts.add(len(labels))
    assert counts == {1, 2}


def test_looks_for_no_box_whose_sides_are_the_same_in_32_bits() -> None:
    boxes = np.array([(0.5, 0.2, 0.5 + 1e-9, 0.8), (0.2, 0.2, 0.8, 0.8)], np.float32)

    _, labels, _ = change(np.zeros((SIDE, SIDE, 3), np.uint8), np.array([0, 1]), boxes, np.random.default_rng(0))

    assert labels.tolist() == [1]
