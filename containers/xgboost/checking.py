"""What rows must be before trees grow from them, so that a mistake is named by its channel and row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.training_failures import TrainingDataError
from containers.shared.tables.labelled import check_classes
from containers.shared.tables.rows import BadRowsError

from .reading import Dataset, refuse_infinite

_BINARY: Final = "binary:"


@dataclass(frozen=True)
class _Range:
    """The labels of an objective: from the least to the most, or above what it excludes."""

    least: float
    most: float = np.inf
    excludes_least: bool = False

    def __str__(self) -> str:
        if np.isfinite(self.most):
            return f"a number from {self.least:g} to {self.most:g}"
        return f"a number {'above' if self.excludes_least else 'from'} {self.least:g}"

    def find_outside(self, labels: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether each label lies outside."""
        low = labels <= self.least if self.excludes_least else labels < self.least
        return low | (labels > self.most)


# As XGBoost itself has them: https://xgboost.readthedocs.io/en/release_3.2.0/parameter.html
_LABELS: Final[Mapping[str, _Range]] = {
    "count:poisson": _Range(0),
    "rank:map": _Range(0, 1),
    "rank:ndcg": _Range(0, 31),
    "rank:pairwise": _Range(0, 31),
    "reg:gamma": _Range(0, excludes_least=True),
    "reg:logistic": _Range(0, 1),
    "reg:squaredlogerror": _Range(-1, excludes_least=True),
    "reg:tweedie": _Range(0),
}


def check_rows(channel: str, rows: Dataset, hyperparameters: Mapping[str, Any]) -> None:
    """Refuse features and weights that no tree grows from, and labels that the objective does not have.

    Args:
        channel: The channel that they are from.
        rows: The rows.
        hyperparameters: The job's.

    Raises:
        TrainingDataError: Naming the row.
    """
    if rows.features.shape[1] == 0:
        raise TrainingDataError(f"channel {channel!r} has no feature behind the label; check what wrote it")
    _check_features(channel, rows.features)
    if rows.weights is not None and (wrong := ~(np.isfinite(rows.weights) & (rows.weights >= 0))).any():
        row = int(wrong.argmax())
        raise TrainingDataError(
            f"channel {channel!r}, row {row + 1}: the weight {rows.weights[row]:g} is not a number from 0; csv_weights "
            "is 1, so the second column is how much a row counts"
        )
    objective = str(hyperparameters.get("objective", ""))
    if isinstance(classes := hyperparameters.get("num_class"), int):
        check_classes(channel, rows.labels, classes, "num_class")
    elif objective.startswith(_BINARY):
        check_classes(channel, rows.labels, 2, f"objective {objective}")
    elif (allowed := _LABELS.get(objective)) and (outside := allowed.find_outside(rows.labels)).any():
        row = int(outside.argmax())
        raise TrainingDataError(
            f"channel {channel!r}, row {row + 1}: the label {rows.labels[row]:g} is not {allowed}, which objective "
            f"{objective} needs; the label stands first"
        )


def _check_features(channel: str, features: Any) -> None:
    try:
        refuse_infinite(features)
    except BadRowsError as error:
        raise TrainingDataError(f"channel {channel!r}, {error}") from error
