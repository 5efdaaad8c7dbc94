"""Judging the detector on photographs it has not seen, beside the simplest possible answer.

`evaluation.json` holds what the log says, for the step that decides whether the model moves on, and the average
precision of each class. A sample, cut to two classes:

    {"metrics": {"validation:mAP": 0.75, "baseline:mAP": 0.05}, "photographs": {"train": 200, "validation": 60},
     "average_precision": {"0": 0.9, "1": 0.6}, "objects": {"0": 40, "1": 52},
     "hyperparameters": {"image_shape": 300, "epochs": 20}}
"""

import json
from collections import Counter
from collections.abc import Mapping

import numpy as np

from containers.shared.job.scores import METRIC_DIGITS

from .finding import Floats
from .precision import find_average_precisions, find_mean
from .reading import Scenes


def find_baseline(training: Scenes, validation: Scenes, overlap_threshold: float) -> float:
    """The mean average precision of an answer that is the same for every photograph: the mean box of each class."""
    labels, boxes = np.concatenate(training.labels), np.concatenate(training.boxes)
    rows = [
        (label, np.mean(labels == label), *boxes[labels == label].mean(axis=0)) for label in np.unique(labels).tolist()
    ]
    answer: Floats = np.array(rows, np.float32)
    found = [answer] * len(validation)
    return find_mean(find_average_precisions(found, validation.labels, validation.boxes, overlap_threshold))


def dump_evaluation(
    metrics: Mapping[str, float],
    precisions: Mapping[int, float],
    training: Scenes,
    validation: Scenes,
    hyperparameters: Mapping[str, object],
) -> str:
    """The evaluation's file, described at the head of this module."""
    counts = Counter(np.concatenate(validation.labels).tolist())
    document = {
        "metrics": {name: round(value, METRIC_DIGITS) for name, value in metrics.items()},
        "photographs": {"train": len(training), "validation": len(validation)},
        "average_precision": {str(label): round(value, METRIC_DIGITS) for label, value in precisions.items()},
        "objects": {str(label): counts[label] for label in sorted(counts)},
        "hyperparameters": dict(hyperparameters),
    }
    return json.dumps(document, allow_nan=False) + "\n"
