"""What our own program can do of the built-in object detection; standard library only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace.algorithms.hyperparameters import list_class_mistakes, list_step_mistakes
from headrace.algorithms.reading import find_algorithm

ALGORITHM: Final = "object-detection"
MOST_SIDE: Final = 1024
# Our program has its own small network, which begins without knowledge.
_LACKING: Final = ("base_network", "freeze_layer_pattern")
_PRETRAINED: Final = "use_pretrained_model"


def list_own_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """What of the algorithm's own hyperparameters our program cannot do, each beginning with the name of one.

    Args:
        given: Those that the algorithm takes.
    """
    for name in _LACKING:
        if name in given:
            yield f"{name}: our own program has its own network instead of those of the algorithm; leave it out"
    if str(given.get(_PRETRAINED, "0")) != "0":
        yield f"{_PRETRAINED}: found '1', and our own program begins without knowledge; give 0, or leave it out"
    side = int(given.get("image_shape", find_algorithm(ALGORITHM).hyperparameters["image_shape"].default or 0))
    if side > MOST_SIDE:
        yield f"image_shape: found {side}, and our own program takes up to {MOST_SIDE}"
    yield from list_step_mistakes(given)
    yield from list_class_mistakes(given, name="num_classes")
