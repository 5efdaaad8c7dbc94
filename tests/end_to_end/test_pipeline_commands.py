"""`headrace pipeline` on the local cloud: executions started, watched, drawn, listed and stopped."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from headrace.cli import cli, progress
from headrace.local.engine import cloud as local_cloud
from headrace.recipes import big_mart
from tests.end_to_end.conftest import Platform
from tests.local_clouds import make_role, own_clients
from tests.patience import wait_until

pytestmark = pytest.mark.slow

HEADRACE = Path(sys.executable).with_name("headrace")
# Waits as long as its input says, and fails if that says so.
PATIENT = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Judge"},
        "Judge": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.good", "BooleanEquals": True, "Next": "Good"}],
            "Default": "Bad",
        },
        "Good": {"Type": "Pass", "End": True},
        "Bad": {"Type": "Fail", "Error": "NotGood", "Cause": "it was not good"},
    },
}


@pytest.fixture(scope="module")
def machine(clients_of_platform: None, platform: Platform) -> Iterator[str]:
    """The name of a state machine that does nothing."""
    states: Any = boto3.client("stepfunctions")
    name = f"patient-{uuid.uuid4().hex[:8]}"
    made = states.create_state_machine(
        name=name, definition=json.dumps(PATIENT), roleArn=make_role(name, trusted="states.amazonaws.com")
    )
    yield name
    states.delete_state_machine(stateMachineArn=made["stateMachineArn"])
    boto3.client("iam").delete_role(RoleName=name)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["pipeline", *arguments])


def start(machine: str, *more: str, good: bool = True, seconds: int = 0) -> Result:
    request = json.dumps({"good": good, "seconds": seconds})
    return run("start", "--state-machine", machine, "--input", request, *more)


def test_starts_an_execution_and_prints_its_arn(machine: str) -> None:
    started = start(machine, "--name", "first")

    assert started.exit_code == 0
    assert started.stdout.endswith(f":execution:{machine}:first\n")
    assert run("show", started.stdout.strip(), "--wait").exit_code == 0


def test_waits_for_the_outcome(machine: str, tmp_path: Path) -> None:
    request = tmp_path / "input.json"
    request.write_text('{"good": true, "seconds": 0}')

    ended = run("start", "--state-machine", machine, "--input", str(request), "--wait")

    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "SUCCEEDED\n", "")


def test_ends_with_1_when_an_execution_fails(machine: str) -> None:
    ended = start(machine, "--wait", good=False)

    assert (ended.exit_code, ended.stdout) == (1, "FAILED\n")
    assert ended.stderr == "Error: NotGood: it was not good\n"


@pytest.mark.parametrize(("outcome", "code"), [("REFUSED", 4), ("PENDING_APPROVAL", 5), ("TRANSFORMED", 0)])
def test_its_exit_code_says_what_becomes_of_the_model(machine: str, outcome: str, code: int) -> None:
    request = json.dumps({"good": True, "seconds": 0, "Outcome": outcome})

    ended = run("start", "--state-machine", machine, "--input", request, "--wait")

    assert (ended.exit_code, ended.stdout, ended.stderr) == (code, f"{outcome}\n", "")


def test_shows_each_state_where_somebody_watches(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "_console", Console(file=screen, force_terminal=True, width=200))

    ended = start(machine, "--wait", good=False)

    seen = [line.strip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).splitlines()]
    assert ended.stdout == "FAILED\n"
    assert [line for line in seen if line.startswith(("Wait: succeeded, ", "Bad: failed, "))]
    assert seen[-1].startswith("✓ run the state machine")


def test_gives_programs_all_of_it(machine: str) -> None:
    ended = start(machine, "--wait", "--json", good=False)

    report = json.loads(ended.stdout)
    assert (report["status"], report["outcome"], report["error"]) == ("FAILED", "FAILED", "NotGood")
    assert [(visit["state"], visit["status"]) for visit in report["states"]] == [
        ("Wait", "succeeded"),
        ("Judge", "succeeded"),
        ("Bad", "failed"),
    ]


def test_shows_draws_and_lists_an_execution(machine: str, tmp_path: Path) -> None:
    name = f"seen-{uuid.uuid4().hex[:8]}"
    start(machine, "--name", name, "--wait", good=False)
    ours = ("--state-machine", machine)

    shown = run("show", name, *ours)
    drawn = run("graph", "--execution", name, *ours, "-o", str(tmp_path / "drawn.svg"))
    listed = run("list", *ours)

    lines = [line.split() for line in shown.stdout.splitlines()]
    assert [line[:2] for line in lines[2:5]] == [["Wait", "succeeded"], ["Judge", "succeeded"], ["Bad", "failed"]]
    assert lines[-1] == ["it", "was", "not", "good"]
    assert drawn.exit_code == 0
    svg = (tmp_path / "drawn.svg").read_text()
    assert f"<title>{machine}</title>" in svg
    assert f"{name} failed after" in svg
    assert listed.stdout.splitlines()[2].split()[:2] == [name, "FAILED"]


def test_draws_an_execution_on_the_definition_that_it_was_started_with(machine: str) -> None:
    arn = start(machine, "--wait", "--json").stdout

    drawn = run("graph", "--execution", json.loads(arn)["executionArn"])

    assert drawn.exit_code == 0
    assert '<g class="unreached"><title>Bad (Fail state)</title>' in drawn.stdout


def test_stops_an_execution(machine: str) -> None:
    arn = start(machine, seconds=3_000).stdout.strip()
    wait_until(lambda: json.loads(run("show", arn, "--json").stdout)["states"], "its first state")

    stopped = run("stop", arn, "--cause", "a test")
    shown = json.loads(run("show", arn, "--json").stdout)
    again = run("stop", arn)

    assert (stopped.exit_code, stopped.output) == (0, "")
    assert (shown["status"], shown["cause"]) == ("ABORTED", "a test")
    assert [visit["status"] for visit in shown["states"]] == ["aborted"]
    assert (again.exit_code, again.stderr) == (0, f"{arn} has ended already\n")


def test_goes_on_when_the_waiting_is_interrupted(machine: str) -> None:
    request = json.dumps({"good": True, "seconds": 3_000})
    command = [
        str(HEADRACE),
        "pipeline",
        "start",
        "--state-machine",
        machine,
        "--name",
        "long",
        "--input",
        request,
        "--wait",
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as waiting:
        states: Any = boto3.client("stepfunctions")
        arn = find_machine(machine).replace(":stateMachine:", ":execution:") + ":long"
        wait_until(lambda: arn in list_running(states, machine) or waiting.poll() is not None, "the execution")
        waiting.send_signal(signal.SIGINT)
        output, said = waiting.communicate()

    assert (waiting.returncode, output) == (130, "")
    lines = list(filter(None, said.splitlines()))
    # It may not have had its answer yet.
    assert lines[0] in ("the execution goes on", "the execution may have started")
    assert lines[1:] == [
        f"  to wait for it: headrace pipeline show --wait {arn}",
        f"  to stop it: headrace pipeline stop {arn}",
        "stopped by Ctrl-C",
    ]
    assert list_running(states, machine) == [arn]
    assert run("stop", arn).exit_code == 0


def find_machine(name: str) -> str:
    machines = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    return next(str(machine["stateMachineArn"]) for machine in machines if machine["name"] == name)


def list_running(states: Any, machine: str) -> list[str]:
    found = states.list_executions(stateMachineArn=find_machine(machine), statusFilter="RUNNING")["executions"]
    return [execution["executionArn"] for execution in found]


def test_runs_the_machine_of_an_environment_and_a_workload(platform: Platform, tmp_path: Path) -> None:
    ended = run("start", "--env", "dev", "--workload", "bigmart", "--wait", "--input", '{"JobNaem": "one"}')
    listed = json.loads(run("list", "--json").stdout)
    drawn = run("graph", "--execution", listed[0]["name"])

    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: InvalidInput: unknown in the input: JobNaem")
    assert listed[0]["status"] == "FAILED"
    assert platform.deployment.state_machine_arn(big_mart.RECIPE).rpartition(":")[2] in drawn.stdout
    assert '<g class="failed"><title>Failed (Lambda: Invoke)</title>' in drawn.stdout
    assert '<g class="unreached"><title>Preprocess (SageMaker: CreateProcessingJob)</title>' in drawn.stdout


def test_uses_the_local_cloud_that_runs(platform: Platform, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "find", lambda _: platform.cloud)
    with own_clients():
        os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        ended = start(machine, "--wait", "--local")

    assert (ended.exit_code, ended.stdout) == (0, "SUCCEEDED\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("show", "none"), "there is no execution '"),
        (
            ("show", "arn:aws:states:us-east-1:000000000000:execution:none:none"),
            "there is no execution 'arn:aws:states:",
        ),
        (
            ("list", "--env", "staging"),
            "the environment 'staging' has no state machine for bigmart in us-east-1: deploy it",
        ),
        (("graph", "--state-machine", "none"), "there is no state machine 'none'; there are: "),
        (
            ("graph", "--state-machine", "arn:aws:states:us-east-1:000000000000:stateMachine:none"),
            "there is no state machine 'none' any more",
        ),
        (
            ("show", "arn:aws:states:us-east-1:000000000000:execution:other:one", "--workload", "images"),
            "is an execution of other, not of ",
        ),
        (("start", "--input", "[1]"), "the input must be an object such as {}, not [1]"),
        (("start", "--input", "{'a': 1}"), "the input is not JSON: "),
        (("start", "--input", '{"a": NaN}'), "NaN is not a number in JSON"),
        (("start", "--input", "none.json"), "none.json: No such file or directory"),
    ],
)
def test_says_what_is_not_there(platform: Platform, arguments: tuple[str, ...], reason: str) -> None:
    ended = run(*arguments)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert reason in ended.stderr
