"""From what the cells say to objects: the surest box of those that mean the same one stays."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# What MXNet's single-shot detector leaves out (https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/ndarray/
# contrib/index.html, `MultiBoxDetection`): what is less sure, and all but so many boxes.
LEAST_SCORE: Final = 0.01
MOST_BOXES: Final = 400
Floats = NDArray[np.float32]


def find_objects(scores: Floats, boxes: Floats, nms_threshold: float) -> Floats:
    """The objects in a photograph, the surest first: class, score, left, top, right and bottom, a row each.

    Args:
        scores: How sure each cell is of each class, by cell and class.
        boxes: The box of each cell.
        nms_threshold: Two boxes of a class that overlap by more mean the same object.
    """
    cells, classes = np.nonzero(scores >= LEAST_SCORE)
    found = scores[cells, classes]
    order = np.argsort(-found, kind="stable")[:MOST_BOXES]
    rows = np.column_stack([classes[order], found[order], boxes[cells[order]]]).astype(np.float32)
    kept: list[Floats] = []
    for label in np.unique(rows[:, 0]):
        kept.extend(_keep_surest(rows[rows[:, 0] == label], nms_threshold))
    return np.array(sorted(kept, key=lambda row: -row[1]), np.float32).reshape(-1, rows.shape[1])


def _keep_surest(rows: Floats, nms_threshold: float) -> list[Floats]:
    """Of boxes of one class, the surest first, those that no surer one overlaps."""
    kept: list[Floats] = []
    while len(rows):
        surest, rows = rows[0], rows[1:]
        kept.append(surest)
        rows = rows[find_overlaps(surest[2:], rows[:, 2:]) <= nms_threshold]
    return kept


def find_overlaps(box: Floats, boxes: Floats) -> Floats:
    """How much of what a box and each of others cover they share, from 0 to 1."""
    least, most = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(most - least, 0, None), axis=1)
    together = _measure(box) + _measure(boxes) - shared
    return np.asarray(np.divide(shared, together, out=np.zeros_like(shared), where=together > 0))


def _measure(boxes: Floats) -> Floats:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
