"""Judging the forest on rows it has not seen, beside the simplest possible prediction.

`evaluation.json` holds what the log says, for the step that decides whether the model moves on. A sample:

    {"metrics": {"validation:rmse": 1039.110536, "validation:r2": 0.618763, "baseline:rmse": 1683.392345,
                 "baseline:r2": -0.000557, "train:rmse": 1040.097531},
     "rows": {"train": 7671, "validation": 852},
     "hyperparameters": {"n_estimators": 500, "min_samples_leaf": 40, "max_features": 0.5, "max_depth": null,
                         "seed": 42}}
"""

import json

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from containers.shared.job.scores import METRIC_DIGITS

from . import contract
from .channels import Dataset
from .hyperparameters import Hyperparameters, describe_hyperparameters

Values = NDArray[np.float64]


def evaluate_forest(forest: RandomForestRegressor, train: Dataset, validation: Dataset) -> dict[str, float]:
    """The metrics of the job, by the names it publishes them under."""
    predictions = forest.predict(validation.features)
    baseline = np.full_like(validation.labels, train.labels.mean())
    metrics = {
        contract.VALIDATION_RMSE: find_rmse(validation.labels, predictions),
        contract.VALIDATION_R2: find_r2(validation.labels, predictions),
        contract.BASELINE_RMSE: find_rmse(validation.labels, baseline),
        contract.BASELINE_R2: find_r2(validation.labels, baseline),
        contract.TRAIN_RMSE: find_rmse(train.labels, forest.predict(train.features)),
    }
    # Threads add up the trees in any order, so further digits would differ from run to run.
    return {name: round(value, METRIC_DIGITS) for name, value in metrics.items()}


def find_rmse(labels: Values, predictions: Values) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean((labels - predictions) ** 2)))


def find_r2(labels: Values, predictions: Values) -> float:
    """The part of the labels' variance that is explained; 0 for labels that do not vary."""
    total = float(np.sum((labels - labels.mean()) ** 2))
    return 1 - float(np.sum((labels - predictions) ** 2)) / total if total else 0.0


def dump_evaluation(
    metrics: dict[str, float], train: Dataset, validation: Dataset, hyperparameters: Hyperparameters
) -> str:
    """The evaluation's file, described at the head of this module."""
    document = {
        "metrics": metrics,
        "rows": {"train": len(train.labels), "validation": len(validation.labels)},
        "hyperparameters": describe_hyperparameters(hyperparameters),
    }
    return json.dumps(document, allow_nan=False, indent=1) + "\n"
