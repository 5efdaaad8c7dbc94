"""The history of an execution stays below the 25,000 events that Step Functions allows, however long it must wait.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.conftest import PROJECT
from tests.stacks.conftest import ENVIRONMENTS, read_stacks
from tests.stacks.pipeline.fault_matrix import read_machine

MOST_EVENTS: Final = 25_000
# Loops that only the time limit of the state machine ends.
LOOPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Wait For Earlier Change": ("Look For Endpoint", "Endpoint Found"),
    "Wait For Endpoint": ("Describe Endpoint", "Endpoint In Service", "Ask Golden Requests"),
    "Wait For Version": ("Look At Version", "Version Complete"),
}
# The loop of those that wait for their turn counts its rounds.
TURN: Final = ("Wait For Turn", "See Whose Turn", "Whose Turn", "Find Owner", "Owner Runs")
MOST_TURN_ROUNDS: Final = 400
# All other loops are counted by a variable, to this number at most.
MOST_ROUNDS: Final = 8
COUNTED: Final = re.compile(r"Wait For .* Quota|Wait For Turn|Wait To Look Again|Pause Before Turn")
MACHINES: Final = [
    (variant, stack) for variant in (*ENVIRONMENTS, "guard", "batch") for stack in ("BigMart", "Images", "Normalizer")
]


def count_events(state: Mapping[str, Any], tries: int = 1) -> int:
    """What a visit adds: that the state was entered and left, and that each try was scheduled, begun and ended."""
    if state["Type"] != "Task":
        return 2
    return 2 + tries * (4 if state["Resource"].endswith(".sync") else 3)


def count_with_retries(state: Mapping[str, Any]) -> int:
    return count_events(state, 1 + sum(retrier["MaxAttempts"] for retrier in state.get("Retry", ())))


def bound_events(machine: Mapping[str, Any]) -> int:
    """Every state as often as counters allow, with every retry, and all of the time spent in the loop that writes most.

    A redrive goes on with the same history, so this is for an execution that is not redriven.
    """
    states = machine["States"]
    counted = MOST_ROUNDS * sum(count_with_retries(state) for state in states.values())
    turn = MOST_TURN_ROUNDS * sum(count_events(states[name]) for name in TURN if name in states)
    rates = [
        sum(count_events(states[name]) for name in (wait, *around) if name in states) / states[wait]["Seconds"]
        for wait, around in LOOPS.items()
        if wait in states
    ]
    return 2 + counted + turn + math.ceil(float(machine["TimeoutSeconds"]) * max(rates, default=0))


@pytest.mark.parametrize(("variant", "stack"), MACHINES)
def test_stays_below_the_longest_history(variant: str, stack: str) -> None:
    assert bound_events(read_machine(variant, stack)) < MOST_EVENTS


@pytest.mark.parametrize(("variant", "stack"), MACHINES)
def test_knows_every_wait(variant: str, stack: str) -> None:
    waits = {name for name, state in read_machine(variant, stack)["States"].items() if state["Type"] == "Wait"}

    assert [name for name in waits - LOOPS.keys() if not COUNTED.fullmatch(name)] == []


def test_the_page_shows_the_longest_history() -> None:
    longest = max(bound_events(read_machine(variant, stack)) for variant, stack in MACHINES)

    assert f"at most {longest:,} events" in (PROJECT / "docs" / "pipeline-faults.md").read_text()


def test_the_definition_stands_whole_in_the_template() -> None:
    (machine,) = (
        resource["Properties"]
        for resource in read_stacks("dev")["BigMart"]["template"]["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    )

    assert "DefinitionString" in machine
    assert not {"Definition", "DefinitionS3Location", "DefinitionSubstitutions"} & machine.keys()
