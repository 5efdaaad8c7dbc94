"""The photographs of an epoch in batches, each a little changed, with what the cells should say of them."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cells import Floats, make_targets
from .hyperparameters import Hyperparameters
from .reading import Scenes

# Photographs are moved by up to an eighth of their side, and half of them mirrored.
_SHIFT: Final = 8
_HALF: Final = 0.5
# A box of which less is still in the photograph is not looked for.
_LEAST_SEEN: Final = 0.4


class Batch(NamedTuple):
    """Photographs, and what the cells should say, each as `cells.Targets` has it, by photograph."""

    photographs: NDArray[np.uint8]
    classes: Floats
    boxes: Floats
    is_object: NDArray[np.bool_]


def draw_batches(training: Scenes, hyperparameters: Hyperparameters, epoch: int, grid: int) -> Iterator[Batch]:
    """All photographs once, in an order that depends on the seed and the epoch only."""
    chance = np.random.default_rng((hyperparameters.seed, epoch))
    order = chance.permutation(len(training))
    count = max(1, round(len(order) / hyperparameters.mini_batch_size))
    for places in np.array_split(order, count):
        photographs, targets = [], []
        for place in places:
            photograph, labels, boxes = change(
                training.photographs[place], training.labels[place], training.boxes[place], chance
            )
            photographs.append(photograph)
            targets.append(make_targets(labels, boxes, grid, hyperparameters.num_classes))
        classes, target_boxes, is_object = (np.stack(part) for part in zip(*targets, strict=True))
        yield Batch(np.stack(photographs), classes, target_boxes, is_object)


def change(
    photograph: NDArray[np.uint8], labels: NDArray[np.int64], boxes: Floats, chance: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64], Floats]:
    """A photograph moved a little and perhaps mirrored, with its boxes, cut to what is still in it."""
    side = len(photograph)
    room = side // _SHIFT
    down, across = chance.integers(-room, room + 1, 2)
    padded = np.pad(photograph, ((room, room), (room, room), (0, 0)), mode="edge")
    photograph = padded[room + down : room + down + side, room + across : room + across + side]
    moved: Floats = boxes - np.array([across, down, across, down], np.float32) / np.float32(side)
    if chance.random() < _HALF:
        photograph = photograph[:, ::-1]
        moved = np.stack([1 - moved[:, 2], moved[:, 1], 1 - moved[:, 0], moved[:, 3]], axis=1)
    cut = moved.clip(0, 1).astype(np.float32)
    area = _measure(cut)
    seen = (area >= _LEAST_SEEN * _measure(moved)) & (area > 0)
    return photograph, labels[seen], cut[seen]


def _measure(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
