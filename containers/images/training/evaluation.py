"""Judging the classifier on photographs it has not seen, beside the simplest possible answer.

`evaluation.json` holds what the log says, for the step that decides whether the model moves on, and which classes are
taken for which. A sample, cut to two classes:

    {"metrics": {"validation:accuracy": 0.75, "validation:top5_accuracy": 1.0, "validation:precision": 0.833333,
                 "validation:recall": 0.75, "validation:f1": 0.733333, "baseline:accuracy": 0.5, "train:accuracy": 1.0},
     "photographs": {"train": 22, "validation": 4, "bad": 0},
     "labels": ["accordion", "bonsai"],
     "confusion": [[2, 0], [1, 1]],
     "hyperparameters": {"image_size": 96, "inverse_regularization": 10.0, "mirror": true, "max_bad_photographs": 0}}

Row i of the confusion counts the validation photographs of class i, by the class they were taken for.
"""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from containers.shared.images.classifier import Classifier
from containers.shared.job.scores import METRIC_DIGITS

from . import contract
from .examples import Examples
from .hyperparameters import Hyperparameters, describe_hyperparameters

TOP = 5

Classes = NDArray[np.intp]
Probabilities = NDArray[np.float64]


def judge_examples(classifier: Classifier, examples: Examples) -> Probabilities:
    """The probability of each class for each photograph as it is."""
    return classifier.find_probabilities(examples.features[:, 0])


def measure_classifier(
    train: Examples, train_answers: Probabilities, validation: Examples, validation_answers: Probabilities
) -> dict[str, float]:
    """The metrics of the job, by the names it publishes them under."""
    most_frequent = np.bincount(train.classes).argmax()
    precision, recall, f1 = weigh_classes(validation.classes, validation_answers)
    metrics = {
        contract.VALIDATION_ACCURACY: find_accuracy(validation.classes, validation_answers, top=1),
        contract.VALIDATION_TOP5_ACCURACY: find_accuracy(validation.classes, validation_answers, top=TOP),
        contract.VALIDATION_PRECISION: precision,
        contract.VALIDATION_RECALL: recall,
        contract.VALIDATION_F1: f1,
        contract.BASELINE_ACCURACY: float(np.mean(validation.classes == most_frequent)),
        contract.TRAIN_ACCURACY: find_accuracy(train.classes, train_answers, top=1),
    }
    return {name: round(value, METRIC_DIGITS) for name, value in metrics.items()}


def find_accuracy(classes: Classes, answers: Probabilities, *, top: int) -> float:
    """The part of the photographs whose class is among the `top` most probable ones."""
    best = np.argsort(-answers, axis=1, kind="stable")[:, :top]
    return float(np.mean((best == classes[:, None]).any(axis=1)))


def weigh_classes(classes: Classes, answers: Probabilities) -> tuple[float, float, float]:
    """Precision, recall and F1 of the most probable class: means over the classes, weighted by their photographs.

    The precision of a class that no photograph is taken for counts as 0.
    """
    precision, recall, f1, _ = precision_recall_fscore_support(
        classes, answers.argmax(axis=1), average="weighted", zero_division=0
    )
    return float(precision), float(recall), float(f1)


def count_confusions(classes: Classes, answers: Probabilities) -> NDArray[np.intp]:
    """How many photographs of each class, by row, are taken for each class, by column."""
    count = answers.shape[1]
    return np.bincount(classes * count + answers.argmax(axis=1), minlength=count * count).reshape(count, count)


def dump_evaluation(
    metrics: dict[str, float],
    train: Examples,
    validation: Examples,
    *,
    labels: Sequence[str],
    confusions: NDArray[np.intp],
    hyperparameters: Hyperparameters,
) -> str:
    """The evaluation's file, described at the head of this module."""
    document = {
        "metrics": metrics,
        "photographs": {
            "train": len(train.classes),
            "validation": len(validation.classes),
            "bad": len(train.bad) + len(validation.bad),
        },
        "labels": list(labels),
        "confusion": confusions.tolist(),
        "hyperparameters": describe_hyperparameters(hyperparameters),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n"
