"""Networks that learn too fast: their numbers grow until they are none any more, and nothing is learnt from there."""

import math
from collections.abc import Iterable

from containers.shared.job.training_failures import HyperparameterError


def refuse_divergence(numbers: Iterable[float], when: str, learning_rate: float, besides: str = "") -> None:
    """End a training whose numbers have grown beyond all bounds.

    Args:
        numbers: What must be finite, such as losses and the sum of the weights.
        when: By when, such as `in epoch 3`.
        learning_rate: What can be lowered.
        besides: What else helps, beginning with a comma.

    Raises:
        HyperparameterError: If one of them is infinite or not a number.
    """
    if not all(map(math.isfinite, numbers)):
        raise HyperparameterError(
            f"the network's numbers grew beyond all bounds {when}; lower learning_rate, {learning_rate:g}{besides}"
        )


def advise_clipping(most: float) -> str:
    """What else helps a network whose gradients are cut to so much, or, where that is not above 0, not at all."""
    if most > 0:
        return f", or clip_gradient, {most:g}"
    return f", or clip gradients: clip_gradient is {most:g}, which is off; set it above 0, for example to 1"
