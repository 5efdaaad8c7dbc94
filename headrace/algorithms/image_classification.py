"""What our own program can do of the built-in image classification; standard library only.

The numbers of layers and their meaning are those of the algorithm, from https://arxiv.org/abs/1512.03385 and
https://github.com/apache/mxnet/blob/1.9.1/example/image-classification/symbols/resnet.py: photographs of up to 28 rows
have three stages of narrow layers, and larger ones four.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.algorithms.hyperparameters import list_class_mistakes, list_step_mistakes, list_untaken
from headrace.algorithms.reading import find_algorithm

ALGORITHM: Final = "image-classification"
CHANNELS: Final = 3
LEAST_SIDE: Final = 8
MOST_SIDE: Final = 1024
SMALL_SIDE: Final = 28
SMALL_LAYERS: Final = (20, 32, 44, 56, 110)
# How many units each of four stages has.
LARGE_UNITS: Final = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
# What our program takes of hyperparameters that have more values in the algorithm.
_TAKEN: Final = {
    "augmentation_type": ("crop",),
    "multi_label": ("0",),
    "precision_dtype": ("float32",),
    "use_pretrained_model": ("0",),
}
# Colours are changed where records are, on the device.
_TAKEN_OF_PACKED: Final = {**_TAKEN, "augmentation_type": ("crop", "crop_color")}
_LACKING: Final = ("resize",)
_SHAPE: Final = re.compile(r"\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*")


def list_layers(side: int) -> tuple[int, ...]:
    """The numbers of layers that a network for photographs of this side may have."""
    return SMALL_LAYERS if side <= SMALL_SIDE else tuple(LARGE_UNITS)


def list_own_mistakes(given: Mapping[str, Any], *, of_packed: bool = False) -> Iterator[str]:
    """What of the algorithm's own hyperparameters our program cannot do, each beginning with the name of one.

    Args:
        given: Those that the algorithm takes.
        of_packed: Whether photographs come as a packed set.
    """
    for name in _LACKING:
        if name in given:
            yield f"{name}: our own program scales photographs to image_shape, whatever their size; leave it out"
    yield from list_untaken(given, _TAKEN_OF_PACKED if of_packed else _TAKEN)
    yield from _list_shape_mistakes(given)
    yield from list_step_mistakes(given)
    yield from list_class_mistakes(given, name="num_classes")
    if given.get("optimizer") == "nag" and float(given.get("momentum", _default("momentum"))) == 0:
        yield "momentum: 0, but optimizer nag needs some; give 0.9, or use sgd"


def _list_shape_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    shape = str(given.get("image_shape", _default("image_shape")))
    if not (side := read_side(shape)):
        yield (
            f"image_shape: found '{shape}', and our own program takes {CHANNELS},SIDE,SIDE with a side from "
            f"{LEAST_SIDE} to {MOST_SIDE}"
        )
    elif int(layers := given.get("num_layers", _default("num_layers"))) not in (allowed := list_layers(side)):
        yield f"num_layers: {layers}, but photographs of side {side} take {', '.join(map(str, allowed))}"


def _default(name: str) -> Any:
    return find_algorithm(ALGORITHM).hyperparameters[name].default


def read_side(shape: str) -> int:
    """The side that a shape says; 0 for one that our program does not take."""
    found = _SHAPE.fullmatch(shape)
    channels, height, width = map(int, found.groups()) if found else (0, 0, 0)
    return height if (channels, height) == (CHANNELS, width) and LEAST_SIDE <= height <= MOST_SIDE else 0
