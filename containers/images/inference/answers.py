"""The form of an answer.

`probabilities` has one number per class, class 0 first, as the built-in image classification answers; `predictions`
names the most probable classes, best first. A sample, cut to two classes:

    {"predictions": [{"label": "bonsai", "class": 1, "probability": 0.875},
                     {"label": "accordion", "class": 0, "probability": 0.125}],
     "probabilities": [0.125, 0.875]}
"""

import json
from collections.abc import Sequence

from . import contract

# The weights are single precision, which further digits would only pretend to exceed.
SIGNIFICANT_DIGITS = 7


def format_answer(labels: Sequence[str], probabilities: Sequence[float]) -> bytes:
    """The answer, described at the head of this module."""
    rounded = [float(f"{probability:.{SIGNIFICANT_DIGITS}g}") for probability in probabilities]
    best = sorted(range(len(labels)), key=lambda number: -probabilities[number])[: contract.NAMED_PREDICTIONS]
    predictions = [{"label": labels[number], "class": number, "probability": rounded[number]} for number in best]
    return json.dumps({"predictions": predictions, "probabilities": rounded}, ensure_ascii=False).encode()
