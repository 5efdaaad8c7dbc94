"""Every fault of every task, end to end: how executions end, what they leave, and how they go on when redriven."""

import json
import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest

from headrace.contract import ENDPOINT_ACTION_INPUT, MODEL_PACKAGE_ARN_INPUT, EndpointAction
from tests.end_to_end.calling import GONE, Caller
from tests.end_to_end.every_fault import ALWAYS, CALLS, MADE, ROWS, Fault, Row, render
from tests.end_to_end.fault_stage import ENDPOINT, MACHINES, Inventory, Stage, make_context, set_stage
from tests.end_to_end.inventory import list_jobs
from tests.end_to_end.stopped_endpoints import find_noted_answer
from tests.end_to_end.test_pipeline import wait_for_state
from tests.end_to_end.tiny_programs import Behaviour
from tests.patience import wait_until
from tests.stacks.conftest import parse_definition
from tests.stacks.pipeline.fault_matrix import list_tasks, name_operation
from tests.stacks.pipeline.fault_rules import FAMILY_OF, Family
from tests.stacks.synthesis import synthesize
from tests.tables import PROJECT

pytestmark = pytest.mark.slow

PAGE: Final = PROJECT / "docs" / "pipeline-faults.md"
TABLE: Final = re.compile(r"(?<=<!-- the ends begin -->\n\n).*?(?=\n<!-- the ends end -->)", re.DOTALL)
CALLS_A_SECOND: Final = 10
# What services are called whose names in the ARNs of tasks are not those of their models.
SERVICES: Final = {"applicationautoscaling": "application-autoscaling", "sfn": "stepfunctions"}
# What SageMaker says of a change that came in between.
CHANGED: Final = {
    "Create Endpoint": "Cannot create already existing endpoint",
    "Update Endpoint": "Cannot update in-progress endpoint",
}

# Where executions wait for what is not a job.
WAITS: Final = {
    "Create Endpoint": "Wait For Endpoint",
    "Update Endpoint": "Wait For Endpoint",
    "Look At Deletion": "Look At Deletion",
    "See File System": "Wait For File System",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_stage(tmp_path_factory.mktemp("every-fault")) as stage:
        yield stage


def find_operation(stage: Stage, row: Row) -> str:
    """What a task calls, as faults are injected."""
    state = stage.definitions[row.way.machine]["States"][row.state]
    service = state["Resource"].split(":::")[1].removeprefix("aws-sdk:").partition(":")[0]
    operation = name_operation(state)
    return f"{SERVICES.get(service, service)}:{operation[0].upper()}{operation[1:]}"


def inject(stage: Stage, row: Row) -> None:
    """Have the task meet its fault, and the way to it what goes wrong there."""
    if way := row.way.fault:
        stage.faults.add(way.preset, way.operation, times=ALWAYS, **({"state": way.state} if way.state else {}))
    operation, only = find_operation(stage, row), {"state": row.state}
    if row.fault in CALLS:
        preset, times, _ = CALLS[row.fault]
        stage.faults.add(preset, operation, times=times, **only)
    elif row.fault in MADE:
        stage.faults.add(find_preset(row), operation, times=ALWAYS, **only)
    elif row.fault is Fault.TAKEN and row.state in CHANGED:
        stage.faults.add("validation", operation, times=2, message=CHANGED[row.state], **only)
    elif row.fault is Fault.SMALL_ROLE:
        stage.narrow_role(row.way.machine, row.state)


def find_preset(row: Row) -> str:
    """The fault of the local cloud that what a task makes meets."""
    # Such a job has no time limit of its own, and the task has one.
    is_transform = row.state == "Transform" and row.fault is Fault.LATE
    return "timeout" if is_transform else MADE[row.fault]


def was_met(stage: Stage) -> bool:
    """Whether all faults have been met."""
    return all(fault["seen"] for fault in stage.faults.list())


@contextmanager
def surrounded(stage: Stage, row: Row, name: str) -> Iterator[None]:
    """What must be there before the execution, and is gone afterwards."""
    with row.way.around(stage, name):
        if row.fault is Fault.TAKEN and row.state not in CHANGED:
            stage.take_name(row.way.machine, row.state, name)
        try:
            yield
        finally:
            stage.end_executions()
            stage.faults.clear()
            stage.widen_roles()
            stage.drop_turns()
    stage.drop_what_serves_no_more()


def list_answers(stage: Stage, given: Mapping[str, Any], name: str) -> list[str]:
    """What the endpoint may answer once the execution serves."""
    if action := given.get(ENDPOINT_ACTION_INPUT):
        return [GONE if action == EndpointAction.STOP else find_noted_answer(stage)]
    if version := given.get(MODEL_PACKAGE_ARN_INPUT):
        return [answer for answer, arn in stage.versions.items() if arn == version]
    return [f"{name}{attempt}" for attempt in ("", "-retry2", "-redrive1")]


def stop(stage: Stage, row: Row, arn: str) -> None:
    """Stop an execution that waits for its job, or for what it makes."""
    name = arn.rpartition(":")[2]
    if FAMILY_OF[row.state] is Family.JOB:
        kind = find_operation(stage, row).partition(":Create")[2]
        wait_until(lambda: any(job.startswith(f"{kind} {name}") for job in find_running(stage)), "its job")
    else:
        wait_for_state(arn, WAITS[row.state])
    stage.platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")


def find_running(stage: Stage) -> list[str]:
    """The jobs that run."""
    return [job for job, status in list_jobs(stage.platform).items() if status == "InProgress"]


def redrive(stage: Stage, arn: str) -> dict[str, Any]:
    stage.platform.client("stepfunctions").redrive_execution(executionArn=arn)
    return stage.platform.wait(arn)


def check_end(row: Row, end: Mapping[str, Any], notice: Mapping[str, Any]) -> None:
    """It ends as the row says, and the notice says the same."""
    expected, error = row.end, end.get("error") or ""
    assert (end["status"], notice["Status"]) == (expected.status, expected.status), end.get("cause")
    assert notice["NotRemoved"] == []
    if expected.status == "FAILED":
        assert error.startswith(expected.error), end.get("cause")
        assert notice["Error"] == error
        assert expected.error == "Lambda." or error == expected.error
    if expected.status != "SUCCEEDED":
        assert notice["State"] in expected.states
    else:
        assert notice.get("Outcome", "") == row.way.outcome


def check_success(stage: Stage, row: Row, before: Inventory, end: Mapping[str, Any], redrives: int) -> None:
    """What the execution was to make is there once, and nothing else."""
    after, way = stage.list_all(), row.way
    completed = after.list_completed(before)
    rehearsals = [job for job in completed if "-rehearsal" in job]
    assert end["status"] == "SUCCEEDED", end.get("cause")
    assert json.loads(end["output"]).get("Outcome", "") == ((redrives and row.end.then) or way.outcome)
    assert len(completed) - len(rehearsals) == way.jobs, completed
    assert len(rehearsals) <= 1 + redrives
    assert before.count_new_costs(after) == Counter(way.gone)
    assert after.count_new_costs(before) == Counter(way.made) + Counter(row.end.stays)
    assert len(after.versions - before.versions) == way.versions
    assert stage.has_turn() == (FAMILY_OF[row.state] is Family.RELEASING)


@pytest.mark.full("faults-end-to-end")
@pytest.mark.parametrize("name", ROWS)
def test_ends_as_it_should_leaves_nothing_and_goes_on(stage: Stage, name: str) -> None:
    row, execution, redrives = ROWS[name], f"row-{uuid.uuid4().hex[:8]}", 0
    with surrounded(stage, row, execution), ExitStack() as meanwhile:
        given, serves = row.way.give(stage, execution), stage.ask()
        before = stage.list_all()
        caller = meanwhile.enter_context(Caller(ENDPOINT, serves, most_calls=CALLS_A_SECOND))
        inject(stage, row)
        if row.end.left or row.end.gone or row.end.has_answered or (row.end.status == "SUCCEEDED" and row.way.serves):
            caller.expect(serves, *list_answers(stage, given, execution))

        with stage.programs.behaving(row.behaviour):
            arn = stage.start(row.way.machine, execution, given)
            if row.fault is Fault.STOPPED:
                stop(stage, row, arn)
            # What cleans up waits for an endpoint that is being changed.
            if row.behaviour is not Behaviour.HOLD_SERVING:
                stage.notices.find(arn)
        end, notices = stage.platform.wait(arn), stage.notices.find(arn)

        check_end(row, end, notices[0])
        assert was_met(stage)
        stage.faults.clear()
        while end["status"] != "SUCCEEDED":
            assert redrives < 2, end.get("cause")
            if not redrives:
                after = stage.list_all()
                assert before.count_new_costs(after) == Counter(row.end.gone)
                assert after.count_new_costs(before) == Counter(row.end.left)
                assert row.end.gone or after.scaled == before.scaled
                caller.await_calls(1)
                assert caller.wrong == []
                caller.expect(serves, *list_answers(stage, given, execution))
            else:
                assert end["error"] == row.end.again
            stage.widen_roles()
            end, redrives = redrive(stage, arn), redrives + 1
            notices = stage.notices.find(arn, 1 + redrives)
        assert redrives == (0 if row.end.status == "SUCCEEDED" else 2 if row.end.again else 1)
        check_success(stage, row, before, end, redrives)
        caller.await_calls(1)
        assert row.way.serves == (stage.ask() != serves)
    assert caller.wrong == []
    assert len(notices) == 1 + redrives


def test_every_task_is_in_a_state_machine_of_the_stage() -> None:
    machines = [
        parse_definition(resource)
        for made in synthesize(make_context()).values()
        for resource in made["template"].get("Resources", {}).values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]

    assert len(machines) == len(MACHINES)
    assert {row.state for row in ROWS.values()} == {name for machine in machines for name in list_tasks(machine)}


def test_the_page_shows_how_executions_end() -> None:
    table = render()
    if "HEADRACE_UPDATE_FAULTS" in os.environ:
        PAGE.write_text(TABLE.sub(lambda _: table, PAGE.read_text()))

    (found,) = TABLE.findall(PAGE.read_text())
    assert found == table, "it is stale; 'make faults-table' writes it again"
