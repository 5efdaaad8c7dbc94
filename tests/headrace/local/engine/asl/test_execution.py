"""What executions do beside the language: their history, their end, and how they are gone on with."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from headrace.local.engine.asl import jsonata_expressions
from headrace.local.engine.asl.callbacks import UnknownTokenError
from headrace.local.engine.asl.execution import NotRedrivableError, find_redrive_refusal
from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.surroundings import TaskCall
from headrace.local.sagemaker.validation import load_service_model
from tests.headrace.local.engine.asl.test_cases import CASES, Run
from tests.headrace.local.engine.asl.virtual import run_virtually

LAMBDA = "arn:aws:states:::lambda:invoke"
FAILS = {"error": "E", "cause": "boom"}
ANSWERS = {"result": {"StatusCode": 200, "Payload": 1}}


def make_task(**further: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": LAMBDA, "Arguments": {"Payload": 0}, "End": True, **further}


def start(states: Mapping[str, Any], mocks: Mapping[str, Any] | None = None, *, given: Any = None, **more: Any) -> Run:
    """An execution of some JSONata states, the first of which is where it starts."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}
    return Run({"id": "case", "definition": definition, "input": given, "mocks": mocks or {}})


def list_types(run: Run) -> list[str]:
    return [event["type"] for event in run.execution.events]


def wrap(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def test_writes_the_history_of_a_task() -> None:
    run = start({"A": make_task(Retry=[{"ErrorEquals": ["E"]}])}, {"A": [FAILS, ANSWERS]})

    run.go_on()

    assert list_types(run) == [
        "ExecutionStarted",
        "TaskStateEntered",
        *("TaskScheduled", "TaskStarted", "TaskFailed"),
        *("TaskScheduled", "TaskStarted", "TaskSucceeded"),
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["previousEventId"] for event in run.execution.events] == list(range(10))
    failed = run.execution.events[4]["taskFailedEventDetails"]
    assert failed == {"resourceType": "lambda", "resource": "invoke", "error": "E", "cause": "boom"}


@pytest.mark.parametrize(
    "endless", ["($again := function($n) {$again($n + 1)}; $again(0))", "$sum([1..9999999].($ + 1))"]
)
def test_ends_an_expression_that_does_not_end(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonata_expressions, "_MOST_STEPS", 10_000)
    run = start({"A": {"Type": "Pass", "Output": "{% " + endless + " %}", "End": True}})

    run.go_on()

    assert run.execution.status == "FAILED"
    assert run.execution.error == "States.QueryEvaluationError"
    assert "was ended after 10,000 steps" in str(run.execution.cause)


def test_writes_no_event_that_the_api_does_not_declare() -> None:
    shape = load_service_model("stepfunctions").shape_for("HistoryEvent")
    undeclared = set()
    for case in CASES:
        run = Run(case)
        run.go_on(case.get("stop"))
        for event in run.execution.events:
            if event["type"] not in shape.members["type"].enum:
                undeclared.add(event["type"])
            undeclared |= event.keys() - shape.members.keys()
            for name in event.keys() - {"id", "previousEventId", "type", "timestamp"}:
                undeclared |= {f"{name}.{member}" for member in event[name].keys() - shape.members[name].members.keys()}

    assert undeclared == set()


def test_begins_the_events_of_each_branch_where_the_branches_part() -> None:
    branches = [wrap("X", {"Type": "Pass", "End": True}), wrap("Y", {"Type": "Pass", "End": True})]
    run = start({"P": {"Type": "Parallel", "Branches": branches, "End": True}})

    run.go_on()

    events = run.execution.events
    first = {event["previousEventId"] for event in events if event["type"] == "PassStateEntered"}
    assert [events[previous - 1]["type"] for previous in first] == ["ParallelStateStarted"]


def test_begins_the_events_of_each_iteration_where_the_map_starts() -> None:
    processor = wrap("I", {"Type": "Pass", "End": True})
    run = start({"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}, given=[1, 2])

    run.go_on()

    events = run.execution.events
    started = [event for event in events if event["type"] == "MapIterationStarted"]
    assert [events[event["previousEventId"] - 1]["type"] for event in started] == ["MapStateStarted"] * 2


def test_stops_what_it_waits_for() -> None:
    run = start({"A": make_task()}, {"A": [{"result": 1, "delay": 100}]})

    run.go_on({"after_s": 5, "error": "Stop", "cause": "by hand"})

    assert (run.execution.status, run.execution.error, run.execution.cause) == ("ABORTED", "Stop", "by hand")
    assert list_types(run)[-2:] == ["TaskStateAborted", "ExecutionAborted"]


def test_does_not_run_what_was_stopped_before_it_ran() -> None:
    run = start({"A": make_task()})
    run.execution.stop("Stop", "early")

    run.go_on()

    assert (run.execution.status, run.tasks.calls["A"]) == ("ABORTED", 0)


def test_leaves_what_has_ended_as_it_is() -> None:
    run = start({"A": {"Type": "Succeed"}})
    run.go_on()

    run.execution.stop("Stop", "late")

    assert (run.execution.status, run.execution.error) == ("SUCCEEDED", None)


def test_goes_on_in_the_branches_that_have_not_ended() -> None:
    branches = [wrap("X", make_task()), wrap("Y", make_task())]
    slow, late = [ANSWERS | {"delay": 1}], [FAILS | {"delay": 2}, ANSWERS]
    run = start({"P": {"Type": "Parallel", "Branches": branches, "End": True}}, {"X": slow, "Y": late})
    run.go_on()
    assert (run.execution.status, run.execution.error) == ("FAILED", "E")

    run.execution.redrive()
    run.go_on()

    assert run.execution.status == "SUCCEEDED"
    assert run.tasks.calls == {"X": 1, "Y": 2}
    assert list_types(run).count("ExecutionRedriven") == 1


def test_goes_on_in_the_state_at_which_it_was_stopped() -> None:
    run = start({"A": {"Type": "Pass", "Next": "B"}, "B": make_task()}, {"B": [{"result": 1, "delay": 9}, ANSWERS]})
    run.go_on({"after_s": 5, "error": None, "cause": None})

    run.execution.redrive()
    run.go_on()

    assert run.execution.status == "SUCCEEDED"
    assert run.path() == ["A", "B", "B"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"events": 24_998, "redrives": 999, "rested": timedelta(days=14)}, None),
        ({"status": "SUCCEEDED"}, "Execution is SUCCEEDED and cannot be redriven"),
        ({"status": "RUNNING"}, "Execution is RUNNING and cannot be redriven"),
        ({"events": 24_999}, "Execution history event limit exceeded"),
        ({"rested": timedelta(days=14, seconds=1)}, "Execution redrivable period exceeded"),
        ({"redrives": 1_000}, "Execution has been redriven 1000 times and cannot be redriven"),
    ],
)
def test_says_why_an_execution_cannot_be_gone_on_with(changed: Mapping[str, Any], reason: str | None) -> None:
    ended = {"status": "FAILED", "events": 10, "redrives": 0, "rested": timedelta(0)}

    assert find_redrive_refusal(**{**ended, **changed}) == reason


def test_is_not_gone_on_with_when_it_has_ended_too_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start({"A": make_task()}, {"A": [FAILS, ANSWERS]})
    run.go_on()
    now = run.clock.now()
    monkeypatch.setattr(run.clock, "now", lambda: now + timedelta(days=15))

    with pytest.raises(NotRedrivableError, match="redrivable period"):
        run.execution.redrive()

    assert (run.execution.status, run.execution.redrive_count) == ("FAILED", 0)


def test_gives_a_redriven_execution_all_of_its_time_again() -> None:
    states = {"A": make_task()}
    run = start(states, {"A": [{"result": 1, "delay": 9}, ANSWERS | {"delay": 4}]}, TimeoutSeconds=5)
    run.go_on()
    assert (run.execution.status, run.execution.error) == ("TIMED_OUT", "States.Timeout")

    run.execution.redrive()
    run.go_on()

    assert run.execution.status == "SUCCEEDED"


def test_takes_the_result_that_is_sent_with_a_token() -> None:
    run = start(
        {"A": make_task(Resource=f"{LAMBDA}.waitForTaskToken", HeartbeatSeconds=5, TimeoutSeconds=50)}, {"A": [ANSWERS]}
    )

    async def send() -> None:
        work = asyncio.create_task(run.execution.run())
        while not run.callbacks.tokens:
            await asyncio.sleep(1)
        (token,) = run.callbacks.tokens
        for _ in range(5):
            await asyncio.sleep(2)
            run.callbacks.find(token).beat()
        run.callbacks.find(token).send({"sent": True})
        await work
        with pytest.raises(UnknownTokenError):
            run.callbacks.find(token)

    run_virtually(send())

    assert run.execution.output == {"sent": True}


def test_fails_as_it_is_told_with_a_token() -> None:
    run = start({"A": make_task(Resource=f"{LAMBDA}.waitForTaskToken")}, {"A": [ANSWERS]})

    async def send() -> None:
        work = asyncio.create_task(run.execution.run())
        while not run.callbacks.tokens:
            await asyncio.sleep(1)
        (token,) = run.callbacks.tokens
        run.callbacks.find(token).send(StateFailedError("Worker.Failed", "no"))
        await work

    run_virtually(send())

    assert (run.execution.status, run.execution.error) == ("FAILED", "Worker.Failed")


def test_reads_the_items_of_a_dataset_in_batches() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": {"Keys": "{% $states.input %}"}},
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"run": "{% $states.context.Execution.Name %}"}},
        "ItemProcessor": {**processor, **wrap("I", {"Type": "Pass", "End": True})},
        "End": True,
    }
    run = start({"M": state}, given=["a", "b", "c"])

    run.go_on()

    assert run.execution.output == [
        {"BatchInput": {"run": "case"}, "Items": [{"Key": "a"}, {"Key": "b"}]},
        {"BatchInput": {"run": "case"}, "Items": [{"Key": "c"}]},
    ]


def test_fails_where_it_breaks_itself(caplog: pytest.LogCaptureFixture) -> None:
    run = start({"A": make_task()}, {})

    run.go_on()

    assert (run.execution.status, run.execution.error) == ("FAILED", "States.Runtime")
    assert "execution_broke" in caplog.text


def test_says_of_a_task_that_another_role_is_to_make_its_call(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"Credentials": {"RoleArn": "arn:aws:iam::000000000000:role/other"}}
    calls: list[TaskCall] = []
    first = {name: value for name, value in make_task(Next="B").items() if name != "End"}
    run = start({"A": first, "B": make_task(**other)}, {"A": [ANSWERS]})

    async def note(call: TaskCall) -> Any:
        calls.append(call)
        return {}

    monkeypatch.setattr(run.tasks, "run", note)
    run.go_on()

    assert [(call.state, call.has_credentials) for call in calls] == [("A", False), ("B", True)]
