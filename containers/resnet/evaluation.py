"""Judging the network on photographs it has not seen, beside the simplest possible answer.

`evaluation.json` holds what the log says, for the step that decides whether the model moves on, and which classes are
taken for which. A sample, cut to two classes:

    {"metrics": {"validation:accuracy": 0.75, "baseline:accuracy": 0.5},
     "photographs": {"train": 22, "validation": 4},
     "labels": ["accordion", "bonsai"], "confusion": [[2, 0], [1, 1]],
     "hyperparameters": {"num_layers": 20, "side": 28, "epochs": 30}}

Row i of the confusion counts the validation photographs of class i, by the class they were taken for. Above 1,000
classes there is none: it would have as many numbers as the square of that.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.scores import METRIC_DIGITS

_MOST_CONFUSED: Final = 1_000


def find_baseline(training: NDArray[np.int64], validation: NDArray[np.int64]) -> float:
    """How often the most frequent class of the training photographs is right."""
    return float(np.mean(validation == np.bincount(training).argmax()))


def dump_evaluation(
    metrics: Mapping[str, float],
    photographs: Mapping[str, int],
    labels: Sequence[str],
    classes: NDArray[np.int64],
    answers: NDArray[np.int64],
    hyperparameters: Mapping[str, object],
) -> str:
    """The evaluation's file, described at the head of this module."""
    document = {
        "metrics": {name: round(value, METRIC_DIGITS) for name, value in metrics.items()},
        "photographs": dict(photographs),
        "labels": list(labels),
        **({"confusion": _count(classes, answers, len(labels))} if len(labels) <= _MOST_CONFUSED else {}),
        "hyperparameters": dict(hyperparameters),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n"


def _count(classes: NDArray[np.int64], answers: NDArray[np.int64], count: int) -> list[list[int]]:
    confusion: list[list[int]] = np.bincount(classes * count + answers, minlength=count**2).reshape(count, -1).tolist()
    return confusion
