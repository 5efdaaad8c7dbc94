"""What the cells of the grid say, and back: which cells should say what of boxes.

A box is left, top, right and bottom as parts of the photograph, from 0 to 1.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .architecture import BOX_NUMBERS

# The cell in which a box's middle is says so, and those around it which are well inside the box.
_AROUND: Final = 1
_INSIDE: Final = 0.8
# Beyond this, a box would be larger than any photograph or smaller than anything in it.
MOST_LOGARITHM: Final = 6.0
Floats = NDArray[np.float32]


class Targets(NamedTuple):
    """What the cells should say: 1 for each class that is there, the box, and whether there is any.

    The first two are by number, row and column, the last by row and column.
    """

    classes: Floats
    boxes: Floats
    is_object: NDArray[np.bool_]


def make_targets(labels: NDArray[np.int64], boxes: Floats, grid: int, classes: int) -> Targets:
    """What the cells should say of a photograph.

    Args:
        labels: The class of each box.
        boxes: The boxes, a row each.
        grid: Rows and columns of the grid.
        classes: How many classes there are.
    """
    targets = Targets(
        np.zeros((classes, grid, grid), np.float32),
        np.zeros((BOX_NUMBERS, grid, grid), np.float32),
        np.zeros((grid, grid), np.bool_),
    )
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    # Where several claim a cell, it belongs to the smallest, which has the fewest.
    for place in np.argsort(-areas, kind="stable"):
        _mark(targets, int(labels[place]), boxes[place] * grid)
    return targets


def _mark(targets: Targets, label: int, box: Floats) -> None:
    grid = len(targets.is_object)
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    width, height = box[2] - box[0], box[3] - box[1]
    sides = np.log(np.clip((width, height), np.exp(-MOST_LOGARITHM), None))
    middle = (min(int(down), grid - 1), min(int(across), grid - 1))
    rows, columns = (range(max(0, at - _AROUND), min(grid, at + _AROUND + 1)) for at in middle)
    for row in rows:
        for column in columns:
            away = (across - column - 0.5, down - row - 0.5)
            inside = abs(away[0]) < width / 2 * _INSIDE and abs(away[1]) < height / 2 * _INSIDE
            if inside or (row, column) == middle:
                targets.classes[:, row, column] = 0
                targets.classes[label, row, column] = 1
                targets.boxes[:, row, column] = (*away, *sides)
                targets.is_object[row, column] = True


def decode(said: Floats, classes: int) -> tuple[Floats, Floats]:
    """How sure each cell is of each class, and its box, by photograph, cell and number.

    Args:
        said: What the cells say, by photograph, number, row and column.
        classes: How many classes there are.
    """
    count, numbers, grid, _ = said.shape
    flat = said.reshape(count, numbers, grid * grid).transpose(0, 2, 1)
    # The logistic function, whose exponential alone would be more than a number can be.
    scores = np.exp(-np.logaddexp(0, -flat[..., :classes]))
    middles = (flat[..., classes : classes + 2] + list_middles(grid)) / grid
    halves = np.exp(np.clip(flat[..., classes + 2 :], -MOST_LOGARITHM, MOST_LOGARITHM)) / (2 * grid)
    corners = np.concatenate([middles - halves, middles + halves], axis=-1).clip(0, 1)
    return scores.astype(np.float32), corners.astype(np.float32)


def list_middles(grid: int) -> Floats:
    """The middle of each cell, across and down, in cells."""
    down, across = np.divmod(np.arange(grid * grid, dtype=np.float32), np.float32(grid))
    return np.stack([across, down], axis=-1).astype(np.float32) + np.float32(0.5)
