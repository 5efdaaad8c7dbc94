"""How the learning rate falls, as the built-in algorithms have it."""

from typing import Any, Protocol


class Schedule(Protocol):
    """The hyperparameters that say how the learning rate falls."""

    @property
    def learning_rate(self) -> float:
        """What it is at the beginning."""

    @property
    def lr_scheduler_factor(self) -> float:
        """What it is multiplied by at each step."""

    @property
    def lr_scheduler_steps(self) -> tuple[int, ...]:
        """The epochs at which it falls, counted from 0."""


def set_learning_rate(optimizer: Any, epoch: int, hyperparameters: Schedule) -> None:
    """Give the optimizer the rate of an epoch."""
    passed = sum(step <= epoch for step in hyperparameters.lr_scheduler_steps)
    for group in optimizer.param_groups:
        group["lr"] = hyperparameters.learning_rate * hyperparameters.lr_scheduler_factor**passed
