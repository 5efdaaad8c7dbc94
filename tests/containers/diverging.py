"""Learning that goes wrong."""

import math
from typing import Any


def set_endless_rate(optimizer: Any, *_: Any) -> None:
    """Have the next step lead beyond all numbers, in the place of what sets an epoch's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = math.inf
