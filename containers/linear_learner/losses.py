"""What a model's scores lose against the labels, and how the loss changes with them.

A loss takes scores, a row for each of the data and a column for each that the model makes, and labels, and gives the
loss of each row and its gradient by the scores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import contract
from .hyperparameters import Hyperparameters

Numbers = NDArray[np.float64]
Measure = Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]


@dataclass(frozen=True)
class Loss:
    """A loss, by the name that the algorithm's log has for it."""

    name: str
    measure: Measure

    @property
    def objective(self) -> str:
        """What the log calls its mean."""
        return f"{self.name}_objective"


def find_probabilities(scores: Numbers) -> Numbers:
    """The probability of each class, one row per row of scores."""
    # Without the largest score the exponentials could overflow.
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def find_probability(scores: Numbers) -> Numbers:
    """The probability of the second of two classes."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))


def cross_entropy(scores: Numbers, labels: Numbers) -> tuple[Numbers, Numbers]:
    """Softmax loss of several classes."""
    rows, classes = np.arange(len(labels)), labels.astype(np.intp)
    gradient = find_probabilities(scores)
    losses = -np.log(np.maximum(gradient[rows, classes], np.finfo(np.float64).tiny))
    gradient[rows, classes] -= 1
    return losses, gradient


def logistic(scores: Numbers, labels: Numbers) -> tuple[Numbers, Numbers]:
    """Logistic loss of two classes."""
    score = scores[:, 0]
    return np.logaddexp(0, score) - labels * score, (find_probability(score) - labels)[:, None]


def hinge(scores: Numbers, labels: Numbers, margin: float) -> tuple[Numbers, Numbers]:
    """Hinge loss of two classes."""
    signs = 2 * labels - 1
    missing = margin - signs * scores[:, 0]
    return np.maximum(missing, 0), np.where(missing > 0, -signs, 0)[:, None]


def squared(scores: Numbers, labels: Numbers, insensitivity: float = 0.0) -> tuple[Numbers, Numbers]:
    """The square of the error, as far as it is larger than what does not matter."""
    error = _shrink(scores[:, 0] - labels, insensitivity)
    return error**2, 2 * error[:, None]


def absolute(scores: Numbers, labels: Numbers, insensitivity: float = 0.0) -> tuple[Numbers, Numbers]:
    """The size of the error, as far as it is larger than what does not matter."""
    error = _shrink(scores[:, 0] - labels, insensitivity)
    return np.abs(error), np.sign(error)[:, None]


def quantile(scores: Numbers, labels: Numbers, level: float) -> tuple[Numbers, Numbers]:
    """Pinball loss, which is lowest where the label is below the score with this probability."""
    error = labels - scores[:, 0]
    return np.maximum(level * error, (level - 1) * error), np.where(error > 0, -level, 1 - level)[:, None]


def huber(scores: Numbers, labels: Numbers, delta: float) -> tuple[Numbers, Numbers]:
    """Half the square of small errors, and the size of large ones."""
    error = scores[:, 0] - labels
    size = np.abs(error)
    losses = np.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))
    return losses, np.clip(error, -delta, delta)[:, None]


def _shrink(error: Numbers, insensitivity: float) -> Numbers:
    return np.asarray(np.sign(error) * np.maximum(np.abs(error) - insensitivity, 0))


_USUAL: Final[Mapping[str, str]] = {
    contract.BINARY: "logistic",
    contract.MULTICLASS: "softmax_loss",
    contract.REGRESSOR: "squared_loss",
}


def choose_loss(hyperparameters: Hyperparameters) -> Loss:
    """The loss that is asked for, or the usual one of a predictor."""
    name = hyperparameters.word("loss")
    if name == "auto":
        name = _USUAL[hyperparameters.predictor_type]
    insensitivity = hyperparameters.number("loss_insensitivity")
    return {
        "softmax_loss": Loss("multiclass_cross_entropy", cross_entropy),
        "logistic": Loss("binary_classification_cross_entropy", logistic),
        "hinge_loss": Loss("hinge_loss", partial(hinge, margin=hyperparameters.number("margin"))),
        "squared_loss": Loss("mse", squared),
        "absolute_loss": Loss("absolute_loss", absolute),
        "eps_insensitive_squared_loss": Loss(name, partial(squared, insensitivity=insensitivity)),
        "eps_insensitive_absolute_loss": Loss(name, partial(absolute, insensitivity=insensitivity)),
        "quantile_loss": Loss(name, partial(quantile, level=hyperparameters.number("quantile"))),
        "huber_loss": Loss(name, partial(huber, delta=hyperparameters.number("huber_delta"))),
    }[name]
