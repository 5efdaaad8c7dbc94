"""Networks that learn too fast: their numbers grow until they are none any more, and nothing is learnt from there."""

import math
from collections.abc import Iterable

from containers.shared.job.training_failures import HyperparameterError


def refuse_divergence(losses: Iterable[float], when: str, **hyperparameters: float) -> None:
    """End a training whose numbers have grown beyond all bounds.

    Args:
        losses: How wrong the network was.
        when: By when, such as `in epoch 3`.
        hyperparameters: What can be lowered, and what it is.

    Raises:
        HyperparameterError: If a loss is infinite or not a number.
    """
    if not all(map(math.isfinite, losses)):
        advice = ", or ".join(f"{name}, {value:g}" for name, value in hyperparameters.items())
        raise HyperparameterError(f"the network's numbers grew beyond all bounds {when}; lower {advice}")
