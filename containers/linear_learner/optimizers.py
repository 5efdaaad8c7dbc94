"""How parameters follow the gradient: Adam, RMSProp, or descent with momentum.

The formulas are those of https://arxiv.org/abs/1412.6980 and of
https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.
"""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from .hyperparameters import Hyperparameters

Numbers = NDArray[np.float64]
# What keeps a step finite where the gradient has always been 0.
_LEAST = 1e-8


class Optimizer(ABC):
    """Knows from the gradients so far in which direction, and how far at a learning rate of 1, the next step goes."""

    # What the learning rate is where the algorithm is to choose it.
    usual_rate: float

    @abstractmethod
    def find_step(self, gradient: Numbers) -> Numbers:
        """The step to take against the gradient."""


class Adam(Optimizer):
    """Means of the gradient and of its square, both of which forget."""

    usual_rate = 0.02

    def __init__(self, beta_1: float, beta_2: float) -> None:
        self._betas = beta_1, beta_2
        self._steps = 0
        self._mean: Numbers | float = 0.0
        self._square: Numbers | float = 0.0

    def find_step(self, gradient: Numbers) -> Numbers:
        """The mean of the gradient, over the root of that of its square."""
        first, second = self._betas
        self._steps += 1
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient**2
        mean, square = self._mean / (1 - first**self._steps), self._square / (1 - second**self._steps)
        return np.asarray(mean / (np.sqrt(square) + _LEAST))


class RmsProp(Optimizer):
    """The gradient over the root of the mean of its square, which forgets."""

    usual_rate = 0.02

    def __init__(self, decay: float = 0.9) -> None:
        self._decay = decay
        self._square: Numbers | float = 0.0

    def find_step(self, gradient: Numbers) -> Numbers:
        """The gradient over the root of the mean of its square."""
        self._square = self._decay * self._square + (1 - self._decay) * gradient**2
        return np.asarray(gradient / np.sqrt(self._square + _LEAST))


class Descent(Optimizer):
    """The gradient itself, with what is left of the last step."""

    usual_rate = 0.05

    def __init__(self, momentum: float) -> None:
        self._momentum = momentum
        self._step: Numbers | float = 0.0

    def find_step(self, gradient: Numbers) -> Numbers:
        """The gradient, and a part of the last step."""
        self._step = self._momentum * self._step + gradient
        return np.asarray(self._step)


def make_optimizer(hyperparameters: Hyperparameters) -> Optimizer:
    """The optimizer that is asked for; Adam where the algorithm is to choose."""
    match hyperparameters.word("optimizer"):
        case "sgd":
            return Descent(hyperparameters.number("momentum", auto=0.0))
        case "rmsprop":
            return RmsProp()
    return Adam(hyperparameters.number("beta_1", auto=0.9), hyperparameters.number("beta_2", auto=0.999))
