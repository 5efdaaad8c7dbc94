"""Whether a network still gets better, as the built-in algorithms decide on it."""

from typing import Protocol


class EarlyStopping(Protocol):
    """The hyperparameters that say when learning ends early."""

    @property
    def early_stopping(self) -> bool:
        """Whether it ever does."""

    @property
    def early_stopping_min_epochs(self) -> int:
        """How many epochs there are at least."""

    @property
    def early_stopping_patience(self) -> int:
        """Of how many epochs one must be better than all before."""

    @property
    def early_stopping_tolerance(self) -> float:
        """By how much, as a part of the best score before."""


def has_stopped_improving(scores: list[float], hyperparameters: EarlyStopping) -> bool:
    """Whether the last epochs were no better than those before them, where that ends the training."""
    patience, tolerance = hyperparameters.early_stopping_patience, hyperparameters.early_stopping_tolerance
    enough = max(hyperparameters.early_stopping_min_epochs, patience + 1)
    if not hyperparameters.early_stopping or len(scores) < enough:
        return False
    before, recent = max(scores[:-patience]), max(scores[-patience:])
    return recent <= before * (1 + tolerance)
