"""How many events the history of an execution may have at most, however long it must wait."""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jsonata import Jsonata

Machine = Mapping[str, Any]

# What an execution is asked to do about the endpoint of the settings: nothing, or by the rules of this choice.
ACTIONS: Final = ("", "START", "STOP")
_ACTION: Final = "Endpoint Action Given"
# All that is counted by a variable but not waited for, to this number at most.
_MOST_ROUNDS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Loop:
    """States that an execution passes again and again while it waits.

    Args:
        around: Those besides the wait.
        counter: The variable that counts the rounds; nothing where only the time limit of the execution ends them.
    """

    around: tuple[str, ...]
    counter: str = ""


_LOOK: Final = (
    "Find Serving Endpoint",
    "Find Serving Config",
    "Find Serving Model",
    "Serves A Version",
    "Read Serving Version",
    _ACTION,
)
# By their waits.
LOOPS: Final[Mapping[str, Loop]] = {
    "Wait For Earlier Change": Loop(around=("Look For Endpoint", "Endpoint Found")),
    "Wait For Endpoint": Loop(around=("Describe Endpoint", "Endpoint In Service")),
    "Wait For Version": Loop(around=("Look At Version", "Version Unchanged")),
    "Wait For Turn": Loop(around=("See Whose Turn", "Whose Turn", "Find Owner", "Owner Runs"), counter="turn_polls"),
    "Wait For File System": Loop(around=("See File System", "File System Ready"), counter="file_system_polls"),
    "Wait To Stop": Loop(around=(*_LOOK, "Endpoint Can Be Stopped"), counter="stop_polls"),
    "Wait For Deletion": Loop(around=("Look At Deletion", "Deletion Has Begun"), counter="stop_polls"),
    "Wait To Start": Loop(around=(*_LOOK, "Endpoint Can Be Started"), counter="start_polls"),
}
# What comes into this loop while an update bakes, which its time limit ends.
_BAKING: Final = ("Wait For Endpoint", "Ask Golden Requests")


@dataclass(frozen=True, kw_only=True)
class Part:
    """Waiting that adds so many events in so many seconds, and no more than that."""

    events: float
    seconds: float

    @property
    def rate(self) -> float:
        """How many events it adds in a second."""
        return self.events / self.seconds


def bound_events(machine: Machine, seconds: float) -> int:
    """The most that an execution of a state machine may add to its history.

    Every state that it can come to as often as counters allow, with every retry; and all of its time spent in the loops
    that add most, each as long as its counter allows. A redrive goes on with the same history, so this is for an
    execution that is not redriven.

    Args:
        machine: The definition.
        seconds: How long it may take.
    """
    return max(_bound_one(machine["States"], _list_reached(machine, action), seconds) for action in ACTIONS)


def _bound_one(states: Mapping[str, Any], reached: Collection[str], seconds: float) -> int:
    counted = _MOST_ROUNDS * sum(_count_with_retries(states[name]) for name in reached)
    waits = [name for name in LOOPS if name in reached]
    parts = sorted((part for name in waits for part in _list_parts(states, name, seconds)), key=lambda part: -part.rate)
    waited = 0.0
    for part in parts:
        spent = min(part.seconds, seconds)
        waited += part.rate * spent
        seconds -= spent
    return 2 + counted + math.ceil(waited)


def _list_parts(states: Mapping[str, Any], wait: str, seconds: float) -> Iterator[Part]:
    """The rounds of a loop, or all of them as one where they are alike."""
    loop = LOOPS[wait]
    events = sum(_count_events(states[name]) for name in (wait, *loop.around) if name in states)
    pause = states[wait]["Seconds"]
    for number in range(1, _find_most(states, loop.counter) + 1 if loop.counter else 1):
        yield Part(events=events, seconds=_evaluate(pause, **{loop.counter: number}))
    if wait == _BAKING[0] and _BAKING[1] in states:
        policy = states["Update Endpoint"]["Arguments"]["DeploymentConfig"]["BlueGreenUpdatePolicy"]
        longest = policy["MaximumExecutionTimeoutInSeconds"]
        often, pause = _find_pauses(pause, longest)
        yield Part(events=(events + _count_events(states[_BAKING[1]])) * longest / often, seconds=longest)
    if not loop.counter:
        yield Part(events=events * seconds / pause, seconds=seconds)


def _find_pauses(pause: Any, seconds: float) -> tuple[float, float]:
    """How long a loop pauses that is passed as often as this for so many seconds, and how long after that."""
    if not isinstance(pause, str):
        return pause, pause
    found = re.fullmatch(r"{% \$millis\(\) - \$changed_at < (\d+) \? (\d+) : (\d+) %}", pause)
    assert found
    milliseconds, often, later = (int(part) for part in found.groups())
    assert milliseconds == 1000 * seconds
    return often, later


def _find_most(states: Mapping[str, Any], counter: str) -> int:
    """To what number a variable counts."""
    (most,) = {int(found) for found in re.findall(rf"\${counter} < (\d+)", json.dumps(states))}
    return most


# The states of most variants are the same, and counters go up to hundreds.
@cache
def _evaluate(pause: Any, **variables: int) -> float:
    if not isinstance(pause, str):
        return float(pause)
    expression = Jsonata.jsonata(pause.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        expression.assign(name, value)
    return float(expression.evaluate(None))


def _count_events(state: Mapping[str, Any], tries: int = 1) -> int:
    """What a visit adds: that the state was entered and left, and that each try was scheduled, begun and ended."""
    if state["Type"] != "Task":
        return 2
    return 2 + tries * (4 if state["Resource"].endswith(".sync") else 3)


def _count_with_retries(state: Mapping[str, Any]) -> int:
    return _count_events(state, 1 + sum(retrier["MaxAttempts"] for retrier in state.get("Retry", ())))


def _list_reached(machine: Machine, action: str) -> set[str]:
    """The states that an execution can come to which was asked for an action, before it is redriven."""
    states, reached, waiting = machine["States"], set[str](), [machine["StartAt"]]
    while waiting:
        if (name := waiting.pop()) not in reached:
            reached.add(name)
            # It ends there, or goes on once it is redriven.
            waiting += [] if name == "Failed" else list(_list_ways(name, states[name], action))
    return reached


def _list_ways(name: str, state: Mapping[str, Any], action: str) -> Iterator[str]:
    chosen = name == _ACTION
    for rule in (*state.get("Choices", ()), *state.get("Catch", ())):
        if not chosen or (action and f"'{action}'" in rule["Condition"]) or (action and rule["Next"] == "Failed"):
            yield rule["Next"]
    if "Next" in state:
        yield state["Next"]
    if "Default" in state and not (chosen and action):
        yield state["Default"]
