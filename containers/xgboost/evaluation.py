"""Scores that XGBoost itself does not report, and the same of the simplest possible answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.scores import Values, find_accuracy, find_mse, score_classes

from . import contract


def weigh_classes(labels: Values, answers: Values) -> tuple[float, float, float]:
    """Precision, recall and F1 of each class, weighted by how many rows are of it."""
    scores = score_classes(labels, answers)
    precision, recall, f1 = (
        float(values @ scores.shares) for values in (scores.precision, scores.recall, scores.find_f())
    )
    return precision, recall, f1


def find_r2(labels: Values, answers: Values) -> float:
    """The part of the labels' variance that is explained; 0 for labels that do not vary."""
    total = float(np.sum((labels - labels.mean()) ** 2))
    return 1 - float(np.sum((labels - answers) ** 2)) / total if total else 0.0


def find_binary_f1(labels: Values, answers: Values) -> float:
    """The F1 score of the second of two classes; 0 where no row is of it."""
    return float(score_classes(labels, answers).find_f()[np.unique(labels) == 1].sum())


# Those that SageMaker's container adds to XGBoost's own; of several classes, weighted by how many rows are of each,
# unless the name says that they are means over the classes (macro) or of all rows alike (micro).
ADDED: Final[Mapping[str, Callable[[Values, Values], float]]] = {
    "accuracy": find_accuracy,
    "balanced_accuracy": lambda labels, answers: float(score_classes(labels, answers).recall.mean()),
    "f1_binary": find_binary_f1,
    "f1_macro": lambda labels, answers: float(score_classes(labels, answers).find_f().mean()),
    "precision_macro": lambda labels, answers: float(score_classes(labels, answers).precision.mean()),
    "precision_micro": find_accuracy,
    "recall_macro": lambda labels, answers: float(score_classes(labels, answers).recall.mean()),
    "recall_micro": find_accuracy,
    "precision": lambda labels, answers: weigh_classes(labels, answers)[0],
    "recall": lambda labels, answers: weigh_classes(labels, answers)[1],
    "f1": lambda labels, answers: weigh_classes(labels, answers)[2],
    "mse": find_mse,
    "r2": find_r2,
}


def choose_classes(predictions: NDArray[Any]) -> Values:
    """The class of each row, from classes, from probabilities of each class, or from that of the second of two."""
    if predictions.ndim > 1:
        return np.asarray(predictions.argmax(axis=1), np.float32)
    if np.all(predictions == np.round(predictions)):
        return predictions.astype(np.float32)
    return (predictions > 0.5).astype(np.float32)


def measure_baseline(train: Values, validation: Values, *, of_classes: bool) -> dict[str, float]:
    """What the most frequent class of the training rows would score, or their mean."""
    if not of_classes:
        mean = np.full_like(validation, train.mean(dtype=np.float64))
        return {contract.BASELINE_RMSE: find_mse(validation, mean) ** 0.5}
    values, counts = np.unique(train, return_counts=True)
    answers = np.full_like(validation, values[counts.argmax()])
    accuracy = find_accuracy(validation, answers)
    precision, recall, f1 = weigh_classes(validation, answers)
    return {
        contract.BASELINE_ERROR: 1 - accuracy,
        contract.BASELINE_ACCURACY: accuracy,
        contract.BASELINE_PRECISION: precision,
        contract.BASELINE_RECALL: recall,
        contract.BASELINE_F1: f1,
    }


def split_metrics(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that XGBoost reports itself, and those that are added."""
    return [name for name in names if name not in ADDED], [name for name in names if name in ADDED]
