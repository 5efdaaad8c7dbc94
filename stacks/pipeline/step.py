"""What pipelines are made of."""

from collections.abc import Mapping
from typing import Protocol

from stacks.pipeline.asl import State


class Step(Protocol):
    """States that belong together: entered at the first of them, and given what comes after.

    Nothing is declared that could be untrue: what a step must be allowed stands in its tasks, and which variables it
    reads and writes follows from its JSONata and its assignments.
    """

    def __call__(self, after: str, /) -> Mapping[str, State]:
        """The states by their names, where `after` is the state that the step leads to when it has gone well."""
