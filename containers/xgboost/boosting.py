"""Growing the trees with XGBoost, and saying so in the words of the built-in algorithm's log."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from containers.shared.job.events import warn_event

from .evaluation import ADDED, choose_classes, split_metrics
from .reading import Dataset
from .together import ALONE, Together

# Those of the job, and not of the engine.
_OF_THE_JOB: Final = {
    "num_round",
    "early_stopping_rounds",
    "eval_metric",
    "csv_weights",
    "save_model_on_termination",
    "_kfold",
}
_MULTICLASS: Final = "multi:"
_BINARY: Final = "binary:"
History = Mapping[str, Mapping[str, list[float]]]


class LogRounds(xgboost.callback.TrainingCallback):
    r"""Writes a line a round, such as `[0]\ttrain-rmse:1690.01\tvalidation-rmse:1605.87`."""

    def after_iteration(self, _model: Any, epoch: int, evals_log: Any) -> bool:
        """Write the line of a round."""
        scores = (
            f"{data}-{metric}:{values[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        )
        sys.stdout.write("\t".join([f"[{epoch}]", *scores]) + "\n")
        sys.stdout.flush()
        return False


def to_matrix(data: Dataset) -> xgboost.DMatrix:
    """Rows as XGBoost takes them."""
    return xgboost.DMatrix(data.features, label=data.labels, weight=data.weights)


def predicts_classes(hyperparameters: Mapping[str, Any]) -> bool:
    """Whether labels are classes, and not numbers."""
    return str(hyperparameters.get("objective", "")).startswith((_MULTICLASS, _BINARY))


def grow(
    hyperparameters: Mapping[str, Any],
    train: xgboost.DMatrix,
    validation: xgboost.DMatrix | None,
    together: Together = ALONE,
) -> tuple[xgboost.Booster, dict[str, Any]]:
    """The trees, and the scores of every round by data and metric."""
    asked = hyperparameters.get("eval_metric")
    native, added = split_metrics([name.strip() for name in str(asked).split(",")] if asked else [])
    engine = {name: value for name, value in hyperparameters.items() if name not in _OF_THE_JOB}
    if (method := engine.get("tree_method")) == "gpu_hist":
        engine["tree_method"] = "hist"
        warn_event("gpu_not_used", tree_method=method, instead="hist")
    if native:
        engine["eval_metric"] = native
    elif added:
        engine["disable_default_eval_metric"] = True
    history: dict[str, Any] = {}
    booster = xgboost.train(
        engine,
        train,
        num_boost_round=int(hyperparameters["num_round"]),
        evals=[(train, "train"), *([(validation, "validation")] if validation else [])],
        evals_result=history,
        early_stopping_rounds=hyperparameters.get("early_stopping_rounds") if validation else None,
        custom_metric=_Added(added, together, of_classes=predicts_classes(hyperparameters)) if added else None,
        verbose_eval=False,
        callbacks=[LogRounds()] if together.is_first else [],
    )
    if hyperparameters.get("early_stopping_rounds") and validation:
        booster = booster[: booster.best_iteration + 1]
    return booster, history


class _Added:
    """The metrics that are added, as XGBoost asks for them: of the rows of all instances, the same on each."""

    def __init__(self, names: list[str], together: Together, *, of_classes: bool) -> None:
        self._names = names
        self._together = together
        self._of_classes = of_classes

    def __call__(self, predictions: NDArray[Any], data: xgboost.DMatrix) -> list[tuple[str, float]]:
        answers = choose_classes(predictions) if self._of_classes else np.asarray(predictions, np.float32)
        labels, answers = self._together.gather(data.get_label()), self._together.gather(answers)
        return [(name, ADDED[name](labels, answers)) for name in self._names]
