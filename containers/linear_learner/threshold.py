"""From which score on a row is taken for the second of two classes."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .hyperparameters import Hyperparameters

Numbers = NDArray[np.float64]
_MOST_SAMPLES: Final = 100_000
_TINY: Final = np.finfo(np.float64).tiny


def choose_threshold(scores: Numbers, labels: NDArray[Any], usual: float, hyperparameters: Hyperparameters) -> float:
    """The threshold that is best by the criterion that is asked for.

    Args:
        scores: The score of each row.
        labels: Its class, 0 or 1.
        usual: The threshold where the loss alone counts, or there is only one class.
        hyperparameters: The job's.
    """
    criterion = hyperparameters.word("binary_classifier_model_selection_criteria")
    most = hyperparameters.whole("num_calibration_samples", _MOST_SAMPLES)
    scores, labels = scores[:most], labels[:most]
    if criterion == "loss_function" or labels.min() == labels.max():
        return usual
    order = np.argsort(-scores, kind="stable")
    ranked = labels[order].astype(np.float64)
    right, taken = np.cumsum(ranked), np.arange(1, len(ranked) + 1)
    # A threshold cannot part rows of the same score.
    ends = np.append(np.diff(scores[order]) != 0, True)
    merit = _CRITERIA[criterion](right, taken, float(ranked.sum()), len(ranked), hyperparameters)
    best = int(np.argmax(np.where(ends, merit, -np.inf)))
    return float(scores[order][best])


Merit = Callable[[Numbers, NDArray[np.intp], float, int, Hyperparameters], Numbers]


def _find_accuracy(right: Numbers, taken: NDArray[np.intp], positive: float, rows: int, _: Hyperparameters) -> Numbers:
    return np.asarray((right + rows - positive - (taken - right)) / rows)


def _find_f(right: Numbers, taken: NDArray[np.intp], positive: float, _: int, asked: Hyperparameters) -> Numbers:
    square = asked.number("f_beta") ** 2
    return np.asarray((1 + square) * right / (square * positive + taken + _TINY))


def _find_precision(
    right: Numbers, taken: NDArray[np.intp], positive: float, _: int, asked: Hyperparameters
) -> Numbers:
    return np.where(right / positive >= asked.number("target_recall"), right / taken, 0)


def _find_recall(right: Numbers, taken: NDArray[np.intp], positive: float, _: int, asked: Hyperparameters) -> Numbers:
    return np.where(right / taken >= asked.number("target_precision"), right / positive, 0)


_CRITERIA: Final[Mapping[str, Merit]] = {
    "accuracy": _find_accuracy,
    "f_beta": _find_f,
    "precision_at_target_recall": _find_precision,
    "recall_at_target_precision": _find_recall,
}
