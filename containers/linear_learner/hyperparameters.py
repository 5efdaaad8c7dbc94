"""The hyperparameters of a job, each as what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from containers.shared.job.algorithm_hyperparameters import (
    check_hyperparameters,
    fill_hyperparameters,
    parse_hyperparameters,
)
from headrace.algorithms.hyperparameters import Value, list_class_mistakes

from . import contract


@dataclass(frozen=True)
class Hyperparameters:
    """All hyperparameters that have a value, given or the algorithm's own."""

    values: Mapping[str, Value]

    @property
    def predictor_type(self) -> str:
        """What is predicted: one of two classes, one of several, or a number."""
        return self.word("predictor_type")

    def word(self, name: str) -> str:
        """One that is a word."""
        return str(self.values[name])

    def number(self, name: str, auto: float = 0.0) -> float:
        """One that is a number, or what it is where the algorithm is to choose it."""
        value = self.values[name]
        return auto if isinstance(value, str) else float(value)

    def whole(self, name: str, auto: int = 0) -> int:
        """One that is a whole number, or what it is where the algorithm is to choose it."""
        return int(self.number(name, auto))

    def flag(self, name: str, *, auto: bool = False) -> bool:
        """One that is true or false, or what it is where the algorithm is to choose it."""
        value = self.values[name]
        return auto if isinstance(value, str) else bool(value)


def read_hyperparameters(texts: Mapping[str, str]) -> Hyperparameters:
    """The job's hyperparameters, refused as the published table says, and as far as this program goes."""
    checked = check_hyperparameters(contract.ALGORITHM, texts, partial(list_class_mistakes, name="num_classes"))
    given = parse_hyperparameters(contract.ALGORITHM, checked)
    return Hyperparameters(fill_hyperparameters(contract.ALGORITHM, given))
