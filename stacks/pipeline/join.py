"""Joins steps to a pipeline, and refuses one that could not run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.pipeline.asl import DefinitionError, State, Task, render_definition
from stacks.pipeline.failure import FAILED, FAILURE
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step
from stacks.pipeline.variables import check_variables


@dataclass(frozen=True)
class Pipeline:
    """The states of joined steps, in their order; the first is where it starts."""

    states: Mapping[str, State]

    @property
    def start_at(self) -> str:
        """The first state's name."""
        return next(iter(self.states))

    @property
    def permissions(self) -> list[Permission]:
        """What its tasks must be allowed."""
        return [permission for task in self._list_tasks() for permission in task.permissions]

    @property
    def own_executions(self) -> list[str]:
        """What its tasks must be allowed on executions of its own state machine."""
        return sorted({action for task in self._list_tasks() for action in task.own_executions})

    def render(self, *, comment: str, timeout_seconds: int) -> dict[str, Any]:
        """The state machine's definition."""
        return render_definition(self.states, start_at=self.start_at, comment=comment, timeout_seconds=timeout_seconds)

    def _list_tasks(self) -> Iterator[Task]:
        return (state for state in self.states.values() if isinstance(state, Task))


def join(*steps: Step | None) -> Pipeline:
    """The steps one after the other, but for those that are not there; whatever fails leads to one failure state.

    Raises:
        DefinitionError: If two states have the same name, or one reads a variable that may not have been written.
    """
    states: dict[str, State] = {FAILED: FAILURE}
    after = "(nothing comes after the last step)"
    for step in reversed([step for step in steps if step]):
        found = step(after)
        if again := sorted(states.keys() & found.keys()):
            raise DefinitionError(f"two states are named '{again[0]}'")
        states = {**found, **states}
        after = next(iter(found))
    check_variables(states, start_at=after)
    return Pipeline(states)
