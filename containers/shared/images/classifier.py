"""The linear classifier as data, in training and at the endpoint."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Names of the arrays in the weights file.
WEIGHTS = "weights"
INTERCEPTS = "intercepts"


@dataclass(frozen=True)
class Classifier:
    """Weights, one row per class, and intercepts, which together score features."""

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def find_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The probability of each class, one row per row of features."""
        scores = features.astype(np.float64) @ self._exact_weights + self.intercepts
        # Without the largest score the exponentials could overflow.
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    @cached_property
    def _exact_weights(self) -> NDArray[np.float64]:
        # With hundreds of classes this takes longer than a photograph, so requests share it.
        return self.weights.T.astype(np.float64)
