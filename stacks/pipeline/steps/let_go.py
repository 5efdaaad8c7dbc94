"""Give the endpoint's turn back, so that the next execution need not find out that this one has ended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stacks.pipeline.asl import Choice, State, Task
from stacks.pipeline.step import Step
from stacks.pipeline.turns import Turns

LET_GO: Final = "Let Go"


def let_go(turns: Turns) -> Step:
    """Give back the turn at the endpoint `$endpoint_name`, which this execution holds with `$turn`."""
    return lambda after: {LET_GO: turns.let_go(next_state=after)}


def letting_go(step: Step, turns: Turns, *, before: str) -> Step:
    """A step that gives the turn back before one of its states, which ends the execution.

    Args:
        step: The step.
        turns: Whose turn it is.
        before: The state, to which choices and tasks lead.
    """
    name = f"{LET_GO} Before {before}"

    def states(after: str) -> Mapping[str, State]:
        redirected = {key: _redirect(state, before, name) for key, state in step(after).items()}
        return {**redirected, name: turns.let_go(next_state=before)}

    return states


def _redirect(state: State, old: str, new: str) -> State:
    def lead(name: str) -> str:
        return new if name == old else name

    if isinstance(state, Task):
        catch = tuple(replace(each, next=lead(each.next)) for each in state.catch)
        return replace(state, next=lead(state.next), catch=catch)
    if not isinstance(state, Choice):
        return state
    rules = tuple(replace(rule, next=lead(rule.next)) for rule in state.rules)
    return replace(state, rules=rules, default=lead(state.default))
