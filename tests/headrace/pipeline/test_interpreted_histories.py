"""Histories that the local interpreter of state machines writes are read as what was done."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from headrace.pipeline.history import History, Status, read_history
from tests.headrace.local.engine.asl.test_cases import CASES, Run
from tests.headrace.local.engine.asl.test_execution import ANSWERS, FAILS, make_task, start, wrap


def read(run: Run) -> History:
    return read_history(
        [{**event, "timestamp": datetime.fromisoformat(event["timestamp"])} for event in run.execution.events]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reads_what_an_execution_has_done(case: dict[str, Any]) -> None:
    run = Run(case)
    run.go_on(case.get("stop"))

    history = read(run)

    entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in run.execution.events]
    statuses = history.find_statuses()
    assert statuses.keys() == set(filter(None, entered))
    assert Status.RUNNING not in statuses.values()
    outermost = {visit.status for visit in history.visits if visit.parent is None}
    if run.execution.status == "SUCCEEDED":
        assert outermost <= {Status.SUCCEEDED, Status.CAUGHT}
    if run.execution.status == "FAILED":
        assert Status.FAILED in outermost
    tries: Counter[str] = Counter()
    for visit in history.visits:
        tries[visit.name] += visit.tries
    # What runs inside of a distributed Map is not part of the history.
    assert {name: tries[name] for name in run.tasks.calls if name in statuses} == {
        name: calls for name, calls in run.tasks.calls.items() if name in statuses
    }


def test_reads_what_a_redriven_parallel_state_has_done() -> None:
    branches = [wrap("X", make_task()), wrap("Y", make_task())]
    slow, late = [ANSWERS | {"delay": 1}], [FAILS | {"delay": 2}, ANSWERS]
    run = start({"P": {"Type": "Parallel", "Branches": branches, "End": True}}, {"X": slow, "Y": late})
    run.go_on()
    failed = read(run).find_statuses()

    run.execution.redrive()
    run.go_on()

    assert failed == {"P": Status.FAILED, "X": Status.SUCCEEDED, "Y": Status.FAILED}
    assert read(run).find_statuses() == {"P": Status.SUCCEEDED, "X": Status.SUCCEEDED, "Y": Status.SUCCEEDED}


def test_reads_what_a_redriven_map_state_has_done() -> None:
    state = {"Type": "Map", "Items": [1, 2], "ItemProcessor": wrap("X", make_task()), "MaxConcurrency": 1, "End": True}
    run = start({"M": state}, {"X": [ANSWERS, FAILS, ANSWERS]})
    run.go_on()
    failed = read(run).find_statuses()

    run.execution.redrive()
    run.go_on()

    assert failed == {"M": Status.FAILED, "X": Status.FAILED}
    assert read(run).find_statuses() == {"M": Status.SUCCEEDED, "X": Status.SUCCEEDED}


def test_reads_where_an_execution_was_stopped_and_that_it_goes_on_there() -> None:
    run = start({"A": {"Type": "Pass", "Next": "B"}, "B": make_task()}, {"B": [{"result": 1, "delay": 9}, ANSWERS]})
    run.go_on({"after_s": 5, "error": None, "cause": None})
    stopped = read(run).find_statuses()

    run.execution.redrive()
    run.go_on()

    assert stopped == {"A": Status.SUCCEEDED, "B": Status.ABORTED}
    assert read(run).find_statuses() == {"A": Status.SUCCEEDED, "B": Status.SUCCEEDED}
