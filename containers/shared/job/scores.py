"""Scores of answers, and the forms in which a job reports them.

`evaluation.json` holds what the log says, for the step that decides whether the model moves on. A sample:

    {"metrics": {"validation:accuracy": 0.676, "validation:f1": 0.661, "baseline:accuracy": 0.502},
     "rows": {"train": 7671, "validation": 852},
     "hyperparameters": {"objective": "multi:softmax", "num_class": 4, "num_round": 50}}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.events import warn_event

METRIC_DIGITS: Final = 6
Values = NDArray[np.float32]
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class ClassScores:
    """How the rows of each class that there is were answered: their part of all rows, precision and recall."""

    shares: Shares
    precision: Shares
    recall: Shares

    def find_f(self, beta: float = 1.0) -> Shares:
        """The F score of each class: the mean of precision and recall, the latter `beta` times as important."""
        weighted = beta**2 * self.precision + self.recall
        both = (1 + beta**2) * self.precision * self.recall
        return np.divide(both, weighted, out=np.zeros_like(both), where=weighted > 0)


def score_classes(labels: Values, answers: Values) -> ClassScores:
    """The scores of each class; 0 is the precision of one that is never the answer."""
    classes, counts = np.unique(labels, return_counts=True)
    right = np.array([np.sum((labels == each) & (answers == each)) for each in classes], np.float64)
    answered = np.array([np.sum(answers == each) for each in classes], np.float64)
    precision = np.divide(right, answered, out=np.zeros_like(right), where=answered > 0)
    return ClassScores(counts / counts.sum(), precision, right / counts)


def find_accuracy(labels: Values, answers: Values) -> float:
    """The part of the rows whose class is the answer."""
    return float(np.mean(labels == answers))


def find_mse(labels: Values, answers: Values) -> float:
    """The mean squared error."""
    return float(np.mean((labels - answers) ** 2))


def format_metric(name: str, value: float) -> str:
    """The log line that the job's MetricDefinitions look for."""
    return f"metric {name}={value:.{METRIC_DIGITS}f}\n"


def dump_evaluation(
    metrics: Mapping[str, float], rows: Mapping[str, int], hyperparameters: Mapping[str, object]
) -> str:
    """The evaluation's file, described at the head of this module.

    A score that is not a finite number, such as the area under the curve of one class, is left out with a warning: a
    rule about it is then not measured.
    """
    if undefined := [name for name, value in metrics.items() if not math.isfinite(value)]:
        warn_event("metrics_undefined", names=",".join(undefined), reason="these_rows_give_no_finite_number")
    rounded = {name: round(value, METRIC_DIGITS) for name, value in metrics.items() if math.isfinite(value)}
    document = {"metrics": rounded, "rows": dict(rows), "hyperparameters": dict(hyperparameters)}
    return json.dumps(document, allow_nan=False, indent=1) + "\n"
