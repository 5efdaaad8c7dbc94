"""The language, case by case, each with the page that it is taken from (`cases.jsonl`)."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headrace.local.engine.asl.callbacks import Callbacks
from headrace.local.engine.asl.definition.checker import check_definition
from headrace.local.engine.asl.documents import are_equal
from headrace.local.engine.asl.execution import Execution, Identity, NotRedrivableError
from tests.headrace.local.engine.asl.virtual import MockedTasks, VirtualClock, run_virtually

Case = Mapping[str, Any]

CASES = [json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text(encoding="utf-8").splitlines()]
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:machine"


class Run:
    """A case that is executed."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.tasks = MockedTasks(case["mocks"])
        self.clock = VirtualClock()
        self.callbacks = Callbacks()
        name = case.get("execution_name", case["id"])
        identity = Identity(
            arn=f"arn:aws:states:us-east-1:000000000000:execution:machine:{name}",
            name=name,
            role_arn="arn:aws:iam::000000000000:role/role",
            machine_arn=MACHINE,
            machine_name="machine",
            started=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.execution = Execution(
            check_definition(json.dumps(case["definition"])),
            {} if case.get("no_input") else case["input"],
            identity=identity,
            tasks=self.tasks,
            clock=self.clock,
            callbacks=self.callbacks,
            events=[],
        )

    def go_on(self, stop: Case | None = None) -> None:
        """Run the execution to its end."""
        run_virtually(self._run(stop))

    async def _run(self, stop: Case | None) -> None:
        if stop:
            asyncio.get_running_loop().call_later(stop["after_s"], self.execution.stop, stop["error"], stop["cause"])
        await self.execution.run()

    def path(self) -> list[str]:
        """The states of the outermost state machine, as they were entered."""
        entered = [event["stateEnteredEventDetails"] for event in self.execution.events if "Entered" in event["type"]]
        return [details["name"] for details in entered if details["name"] in self._case["definition"]["States"]]


def check(run: Run, expected: Case) -> None:
    """Compare an execution that has ended with what is expected of it."""
    execution = run.execution
    assert execution.status == expected["status"], f"{execution.error}: {execution.cause}"
    if "output" in expected:
        assert are_equal(execution.output, expected["output"]), execution.output
    if "error" in expected:
        allowed = expected["error"] if isinstance(expected["error"], list) else [expected["error"]]
        assert execution.error in allowed, execution.cause
    assert expected.get("cause_contains", "") in (execution.cause or "")
    assert run.path() == expected.get("path", run.path())
    _check_waits([wait for wait in run.clock.waits if wait], expected)
    _check_calls(run.tasks, expected)


def _check_waits(waits: list[float], expected: Case) -> None:
    if "waits" in expected:
        assert waits == [wait for wait in expected["waits"] if wait]
    if "waits_max" in expected:
        assert len(waits) == len(expected["waits_max"])
        assert all(wait <= most for wait, most in zip(waits, expected["waits_max"], strict=True))


def _check_calls(tasks: MockedTasks, expected: Case) -> None:
    for state, count in expected.get("calls", {}).items():
        assert tasks.calls[state] == count
    for state, inputs in expected.get("task_inputs", {}).items():
        assert are_equal(tasks.inputs[state], inputs), tasks.inputs[state]
    for state, most in expected.get("max_running", {}).items():
        assert tasks.most_running[state] <= most


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES if not case.get("unsure")])
def test_holds(case: Case) -> None:
    run = Run(case)

    run.go_on(case.get("stop"))

    check(run, case["expect"])
    if "expect_error" in case.get("redrive", {}):
        with pytest.raises(NotRedrivableError):
            run.execution.redrive()
    elif "redrive" in case:
        run.execution.redrive()
        run.go_on()
        check(run, case["redrive"]["expect"])
