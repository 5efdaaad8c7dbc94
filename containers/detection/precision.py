"""Mean average precision: how well found objects agree with those that there are.

For each class, what was found is gone through from the surest on. It is right if it overlaps enough with an object of
its class in its photograph that nothing surer was right about. The average precision is the area below the precision
over the recall, where precision is what it is at no lower recall (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/,
development kit, 3.4.1). Their mean is over the classes that there are objects of.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .finding import Floats, find_overlaps


def find_average_precisions(
    found: Sequence[Floats], labels: Sequence[NDArray[np.int64]], boxes: Sequence[Floats], overlap_threshold: float
) -> Mapping[int, float]:
    """The average precision of each class that there are objects of.

    Args:
        found: What was found in each photograph: class, score, left, top, right and bottom, a row each.
        labels: The classes of the objects in each photograph.
        boxes: Their boxes.
        overlap_threshold: How much of what both cover two boxes must share.
    """
    classes: list[int] = np.unique(np.concatenate(labels)).tolist() if labels else []
    return {
        label: _find_average_precision(
            [rows[rows[:, 0] == label] for rows in found],
            [each[classes_ == label] for each, classes_ in zip(boxes, labels, strict=True)],
            overlap_threshold,
        )
        for label in classes
    }


def find_mean(precisions: Mapping[int, float]) -> float:
    """The mean of average precisions; 0 where there are none."""
    return float(np.mean(list(precisions.values()))) if precisions else 0.0


def _find_average_precision(found: Sequence[Floats], actual: Sequence[Floats], overlap_threshold: float) -> float:
    """The average precision of one class."""
    right = _judge(found, actual, overlap_threshold)
    if not len(right):
        return 0.0
    counted = np.cumsum(right)
    recall = counted / sum(map(len, actual))
    precision = counted / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def _judge(found: Sequence[Floats], actual: Sequence[Floats], overlap_threshold: float) -> NDArray[np.bool_]:
    """Whether each of what was found is right, the surest first."""
    missing = [np.ones(len(boxes), np.bool_) for boxes in actual]
    places = [(-row[1], photograph, place) for photograph, rows in enumerate(found) for place, row in enumerate(rows)]
    right = []
    for _, photograph, place in sorted(places):
        overlaps = find_overlaps(found[photograph][place][2:], actual[photograph])
        best = int(np.argmax(overlaps)) if len(overlaps) else 0
        is_right = bool(len(overlaps) and overlaps[best] >= overlap_threshold and missing[photograph][best])
        if is_right:
            missing[photograph][best] = False
        right.append(is_right)
    return np.array(right, np.bool_)
