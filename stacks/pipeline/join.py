"""Joins steps to a pipeline, and refuses one that could not run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from lambdas.clean_up import contract
from stacks.pipeline.asl import ALWAYS, Choice, DefinitionError, Rule, State, Task, jsonata, render_definition
from stacks.pipeline.failure import FAILED, REDRIVEN
from stacks.pipeline.maps import DistributedMap, Map
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step
from stacks.pipeline.variables import check_variables

# What the first step must assign where there is one to pass again: the state to go on at, which is none at first.
VARIABLES: Final = {"resume": jsonata("''")}

_RESUME: Final = "Resume"
_NOTHING_AFTER: Final = "(nothing comes after the last step)"


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
        """What its tasks and Map states must be allowed."""
        return [permission for state in _list_deep(self.states) for permission in state.permissions]

    def list_actions(self) -> set[str]:
        """The actions that its tasks must be allowed."""
        return {action for permission in self.permissions for action in permission.statement.actions}

    @property
    def own_executions(self) -> list[str]:
        """What its tasks must be allowed on executions of its own state machine."""
        return sorted({action for task in _list_tasks(self.states) for action in task.own_executions})

    @property
    def labels(self) -> list[str]:
        """What the executions are called that its distributed Map states start of its own state machine."""
        return sorted(state.label for state in self.states.values() if isinstance(state, DistributedMap))

    def render(self, *, comment: str, timeout_seconds: int) -> dict[str, Any]:
        """The state machine's definition."""
        return render_definition(self.states, start_at=self.start_at, comment=comment, timeout_seconds=timeout_seconds)


def _list_deep(states: Mapping[str, State]) -> Iterator[Task | Map]:
    """The tasks and Map states, those within Map states included."""
    for state in states.values():
        if isinstance(state, Task | Map):
            yield state
        if isinstance(state, Map):
            yield from _list_deep(state.states)


def _list_tasks(states: Mapping[str, State]) -> Iterator[Task]:
    return (state for state in _list_deep(states) if isinstance(state, Task))


def join(
    first: Step,
    *steps: Step | None,
    failed: Task,
    hold: Step | None = None,
    counted: Mapping[str, Any] = MappingProxyType({}),
    anew: Mapping[str, str] = MappingProxyType({}),
) -> Pipeline:
    """The steps one after the other, but for those that are not there; whatever fails leads to one failure state.

    An execution that was redriven after it failed goes on at the first state of the step that failed.

    Args:
        first: Where it starts.
        steps: What comes after that.
        failed: The failure state, which is left only when the execution was redriven.
        hold: A step after the first one that a redriven execution passes again, before it goes on.
        counted: What is counted anew after a redrive: what has failed too often before it may fail as often again.
        anew: For conditions, in JSONata, the first state of the step that a redriven execution goes on at whichever of
            them failed after the first one.

    Raises:
        DefinitionError: If two states have the same name, one reads a variable that may not have been written, or a
            task has no retrier or no catcher.
    """
    rest = _chain([step for step in steps if step])
    entries = [next(iter(states)) for states in rest]
    opening = [hold(_RESUME), {_RESUME: _choose_entry(entries)}] if hold else []
    start = first(next(iter(_merge([*opening, *rest])), _NOTHING_AFTER))
    through = next(iter(opening[0])) if hold else None
    redriven = _choose_redriven(start, rest, through=through, counted=counted, anew=anew)
    states = _merge([start, *opening, *rest, {FAILED: failed, REDRIVEN: redriven}])
    _check_tasks(states)
    check_variables(states, start_at=next(iter(states)))
    return Pipeline(states)


def together(*steps: Step | None) -> Step:
    """Steps that are one when it comes to redriving: what fails in any of them goes on at the first one."""

    def states(after: str) -> Mapping[str, State]:
        return _merge(_chain([step for step in steps if step], after))

    return states


def _chain(steps: list[Step], after: str = _NOTHING_AFTER) -> list[Mapping[str, State]]:
    """The states of each step, the last of which leads to the state `after`."""
    chain: list[Mapping[str, State]] = []
    for step in reversed(steps):
        states = step(after)
        chain.insert(0, states)
        after = next(iter(states))
    return chain


def _merge(parts: list[Mapping[str, State]]) -> dict[str, State]:
    merged: dict[str, State] = {}
    for states in parts:
        if again := sorted(merged.keys() & states.keys()):
            raise DefinitionError(f"two states are named '{again[0]}'")
        merged |= states
    return merged


def _choose_redriven(
    start: Mapping[str, State],
    steps: list[Mapping[str, State]],
    *,
    through: str | None,
    counted: Mapping[str, Any],
    anew: Mapping[str, str],
) -> Choice:
    """Where to go on after a failure in each of the steps, if need be through another one first.

    When that one fails itself, what was to be gone on at is known from before.
    """
    asked = [_lead_to(entry, condition, through, counted) for condition, entry in anew.items()]
    back = [*asked, *(_lead_back(states, through, counted) for states in steps if _can_fail(states))]
    if not through:
        return Choice(rules=tuple(back), default=next(iter(start)))
    again = Rule(condition=ALWAYS, next=through, assign=counted, is_return=True)
    return Choice(rules=(_lead_back(start, None, {}), *back, again), default=through)


def _can_fail(states: Mapping[str, State]) -> bool:
    return any(way.next == FAILED for state in states.values() for way in state.ways())


def _lead_back(states: Mapping[str, State], through: str | None, counted: Mapping[str, Any]) -> Rule:
    names = ", ".join(f"'{name}'" for name in states)
    return _lead_to(next(iter(states)), f"$failure.{contract.STATE} in [{names}]", through, counted)


def _lead_to(entry: str, condition: str, through: str | None, counted: Mapping[str, Any]) -> Rule:
    assign = {**counted, **(resume_at(entry) if through else {})}
    return Rule(condition=condition, next=through or entry, assign=assign, is_return=True)


def resume_at(entry: str) -> dict[str, str]:
    """What is assigned on the way to the step that is passed again, for it to lead on to the first state of another."""
    return {"resume": entry}


def _choose_entry(entries: list[str]) -> Choice:
    rules = tuple(Rule(condition=f"$resume = '{entry}'", next=entry, is_return=True) for entry in entries[1:])
    return Choice(rules=rules, default=entries[0])


def _check_tasks(states: Mapping[str, State]) -> None:
    """What has no retrier gives up on a busy service; what has no catcher is not cleaned up after."""
    for name, state in states.items():
        if isinstance(state, Map):
            _check_tasks(state.states)
        if not isinstance(state, Task | Map):
            continue
        if not state.retry and isinstance(state, Task):
            raise DefinitionError(f"task '{name}' has no retrier")
        catches_all = any("States.ALL" in catch.errors for catch in state.catch)
        if not catches_all and name != FAILED:
            raise DefinitionError(f"task '{name}' has no catcher for States.ALL")
