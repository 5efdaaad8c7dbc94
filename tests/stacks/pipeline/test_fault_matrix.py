"""Every error of every task, tried out as TestState does: how often it is tried again, and where it leads."""

import os
import re
from typing import Any

import pytest

from tests.conftest import PROJECT
from tests.stacks.conftest import VARIANTS, read_stacks
from tests.stacks.pipeline.fault_matrix import (
    list_rows,
    list_states,
    list_tasks,
    name_operation,
    read_machines,
    recover,
)
from tests.stacks.pipeline.fault_page import render_table
from tests.stacks.pipeline.fault_rules import ANSWERS, DEVIATIONS, FAMILIES, FAMILY_OF, NEXT, RULES, Fault, find_rule
from tests.stacks.pipeline.fault_rules import list_errors as list_errors_of
from tests.stacks.pipeline.faults import ENDS, Walk

PAGE = PROJECT / "docs" / "pipeline-faults.md"
TABLE = re.compile(r"(?<=<!-- the table begins -->\n\n).*?(?=\n<!-- the table ends -->)", re.DOTALL)
# What a try asks for by name that a lost answer may have made already.
NAMED = ("createProcessingJob", "createTrainingJob", "createTransformJob", "createModel", "createEndpointConfig")


def list_machines(variant: str) -> list[dict[str, Any]]:
    return [*read_machines(variant).values()]


def judge(state: str, fault: Fault, error: str, after: str, walk: Walk) -> tuple[object, object]:
    """What must become of an error, and what has."""
    if answer := ANSWERS.get((state, error)):
        return (1, after if answer == NEXT else answer), (walk.tries, walk.way)
    rule = find_rule(state, fault)
    if rule.goes_on:
        return (rule.tries, rule.way or after), (walk.tries, walk.way)
    if rule.end == ENDS:
        return (rule.tries, ENDS, error), (walk.tries, walk.end, walk.error)
    return (rule.tries, rule.end, rule.error or f"{state.replace(' ', '')}Failed"), (walk.tries, walk.end, walk.error)


def test_has_rules_for_every_task_of_every_state_machine_and_no_other() -> None:
    names = {name for variant in VARIANTS for machine in list_machines(variant) for name in list_tasks(machine)}

    assert names == FAMILY_OF.keys()
    assert RULES.keys() == FAMILIES.keys()
    assert DEVIATIONS.keys() <= names


def test_looks_at_every_state_machine_of_a_stack() -> None:
    of_big_mart = [machine for machine in read_machines("drift") if machine.startswith("BigMart/")]

    assert len(of_big_mart) == 2
    assert len(list_machines("drift")) == str(read_stacks("drift")).count("'AWS::StepFunctions::StateMachine'")


def test_every_task_of_every_state_machine_has_retriers_catchers_and_a_time_limit() -> None:
    for variant in VARIANTS:
        for machine in list_machines(variant):
            assert machine["TimeoutSeconds"] > 0
            for name, state in list_tasks(machine).items():
                assert state["Retry"], name
                assert 0 < state["TimeoutSeconds"] <= machine["TimeoutSeconds"], name
                # The failure state fails the execution.
                assert name == "Failed" or state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_every_error_leads_where_the_rules_say() -> None:
    judged = [(row, *judge(row.state, row.fault, row.error, row.next, row.walk)) for row in list_rows()]

    assert [(row.state, row.error, *ends) for row, *ends in judged if ends[0] != ends[1]] == []
    assert {row.state for row in list_rows()} == FAMILY_OF.keys()


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNREACHED, Fault.PASSING])
def test_an_error_that_comes_twice_changes_nothing(fault: Fault) -> None:
    wrong = []
    for name, state, walker in list_states():
        failures = [failure for found, failure in list_errors_of(state["Resource"]) if found is fault]
        # It goes on without giving the turn back: who comes next sees that its owner runs no more.
        if failures and find_rule(name, fault).tries == 1:
            continue
        for failure in [failure for failure in failures if (name, failure.error) not in ANSWERS]:
            walk = recover(name, state, walker, failure)
            if (walk.tries, walk.way) != (3, state["Next"]):
                wrong.append((name, failure.error, walk))

    assert wrong == []


def test_asks_under_another_name_after_an_answer_that_was_lost() -> None:
    named = [(name, state, walker) for name, state, walker in list_states() if name_operation(state) in NAMED]
    assert {name_operation(state) for _, state, _ in named} == set(NAMED)

    for name, state, walker in named:
        (failure,) = (failure for fault, failure in list_errors_of(state["Resource"]) if fault is Fault.UNREACHED)
        first, second, third = recover(name, state, walker, failure).names
        assert (second, third) == (f"{first}-retry1", f"{first}-retry2")


def test_the_page_shows_what_becomes_of_every_error() -> None:
    table = render_table(list_rows())
    if "HEADRACE_UPDATE_FAULTS" in os.environ:
        PAGE.write_text(TABLE.sub(lambda _: table, PAGE.read_text()))

    (found,) = TABLE.findall(PAGE.read_text())
    assert found == table, "it is stale; 'make faults-table' writes it again"
