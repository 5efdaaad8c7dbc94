"""Features and labels with a mean of 0 and a standard deviation of 1, and models taken back from these."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from containers.shared.tables.rows import Features

from . import contract
from .hyperparameters import Hyperparameters

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """What is taken off each feature and off the label, and what they are divided by then."""

    shift: Numbers
    scale: Numbers
    label_shift: float
    label_scale: float

    def scale_features(self, features: Features) -> Any:
        """The features as a model is fitted to them; sparse ones stay so and are not shifted."""
        if scipy.sparse.issparse(features):
            return features.multiply(1 / self.scale).tocsr()
        return (features.astype(np.float64) - self.shift) / self.scale

    def scale_labels(self, labels: NDArray[Any]) -> Numbers:
        """The labels as a model is fitted to them."""
        return np.asarray((labels.astype(np.float64) - self.label_shift) / self.label_scale)

    def take_back(self, weights: Numbers, intercepts: Numbers) -> tuple[Numbers, Numbers]:
        """The weights and intercepts of the same model for features and labels as they came."""
        back = weights / self.scale * self.label_scale
        return back, intercepts * self.label_scale + self.label_shift - back @ self.shift


def fit_scaling(features: Features, labels: NDArray[Any], hyperparameters: Hyperparameters) -> Scaling:
    """The scaling that is asked for, learnt from the first `num_point_for_scaler` rows."""
    known = features[: hyperparameters.whole("num_point_for_scaler")]
    is_sparse = scipy.sparse.issparse(known)
    mean, deviation = _measure(known, is_sparse=is_sparse)
    use_bias = hyperparameters.flag("use_bias")
    shifts = hyperparameters.flag("unbias_data", auto=use_bias) and not is_sparse
    scales = hyperparameters.flag("normalize_data", auto=True)
    is_regressor = hyperparameters.predictor_type == contract.REGRESSOR
    some = labels[: hyperparameters.whole("num_point_for_scaler")].astype(np.float64)
    shifts_label = is_regressor and use_bias and hyperparameters.flag("unbias_label", auto=True)
    scales_label = is_regressor and hyperparameters.flag("normalize_label", auto=True)
    return Scaling(
        mean if shifts else np.zeros_like(mean),
        deviation if scales else np.ones_like(mean),
        float(some.mean()) if shifts_label else 0.0,
        float(some.std()) or 1.0 if scales_label else 1.0,
    )


def _measure(features: Features, *, is_sparse: bool) -> tuple[Numbers, Numbers]:
    """The mean and the standard deviation of each feature; 1 for one that does not vary."""
    if not is_sparse:
        dense = features.astype(np.float64)
        # The deviation of equal values is not always exactly zero, so it cannot tell them.
        varies = dense.min(axis=0) < dense.max(axis=0)
        return dense.mean(axis=0), np.where(varies, dense.std(axis=0), 1.0)
    mean = np.asarray(features.mean(axis=0), np.float64).ravel()
    square = np.asarray(features.multiply(features).mean(axis=0), np.float64).ravel()
    variance = np.maximum(square - mean**2, 0)
    return mean, np.sqrt(np.where(variance > 0, variance, 1.0))
