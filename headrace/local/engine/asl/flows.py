"""State machines at a point: an execution as a whole, a branch or an iteration, each of which can be gone on with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.local.engine.asl.history import Trail


@dataclass(kw_only=True)
class Flow:
    """A state machine at a point.

    Attributes:
        machine: Its StartAt and States.
        trail: Its events.
        input: The input of the state that it is at; once it has ended, its output.
        context: What its context object has besides the execution's.
        outer: Variables that it reads and cannot assign.
        variables: Its own variables.
        state: Where it is; nothing once it has ended.
        children: The branches or iterations of the state that it is at, if these have begun.
    """

    machine: Mapping[str, Any]
    trail: Trail
    input: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    outer: Mapping[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    state: str | None = field(init=False)
    children: "list[Flow] | None" = None

    def __post_init__(self) -> None:
        self.state = self.machine["StartAt"]

    @property
    def is_at_end(self) -> bool:
        """Whether it has ended with an output."""
        return self.state is None

    @property
    def readable(self) -> dict[str, Any]:
        """All variables that its states can read."""
        return {**self.outer, **self.variables}

    def move_on(self, state: str | None, output: Any, assigned: Mapping[str, Any]) -> None:
        """Leave the state that it is at."""
        self.variables |= assigned
        self.state, self.input, self.children = state, output, None
