"""How commands that follow an execution end."""

import json
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from headrace.cli.following import exit_by_outcome, explaining_interruption, wait_for_end
from headrace.cli.pipeline_options import Target
from headrace.contract import OUTCOME_OUTPUT, Outcome
from headrace.pipeline import executions
from headrace.pipeline.history import Execution


def end_with(status: str, outcome: str = "", **more: Any) -> tuple[int, str]:
    """The exit code, and what is said, of a command whose execution has ended so."""
    output = json.dumps({OUTCOME_OUTPUT: outcome}) if outcome else ""
    started = datetime(2026, 1, 1, tzinfo=UTC)
    execution = Execution(
        arn="arn", name="run", machine_arn="machine", status=status, started=started, output=output, **more
    )

    @click.command()
    def command() -> None:
        exit_by_outcome(execution)

    done = CliRunner().invoke(command)
    return done.exit_code, done.stderr


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.SERVING, 0),
        (Outcome.STOPPED, 0),
        (Outcome.STANDING, 0),
        (Outcome.REFUSED, 4),
        (Outcome.PENDING_APPROVAL, 5),
        (Outcome.NOTHING_TO_START, 6),
    ],
)
def test_says_by_its_exit_code_whether_an_execution_did_what_it_is_for(outcome: Outcome, code: int) -> None:
    assert end_with("SUCCEEDED", outcome) == (code, "")


def test_fails_with_the_error_of_an_execution_that_fails() -> None:
    code, said = end_with("FAILED", error="TrainFailed", cause="no rows")

    assert (code, said) == (1, "Error: TrainFailed: no rows\n")


@pytest.mark.parametrize("qualifier", ["", ":live", ":3"])
def test_says_how_to_stop_what_may_have_started_when_ctrl_c_came(
    qualifier: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def start_execution(self, **_: Any) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(executions, "_client", Interrupted)
    target = Target(environment=None, workload=None, region="eu-west-1", is_local=False)
    place = "arn:aws:states:eu-west-1:123456789012"

    with pytest.raises(KeyboardInterrupt), explaining_interruption(target):
        executions.start_execution(f"{place}:stateMachine:sales{qualifier}", {}, "one")

    arn = f"{place}:execution:sales:one"
    assert capsys.readouterr().err.splitlines() == [
        "the execution may have started",
        f"  to wait for it: headrace pipeline show --wait {arn} --region eu-west-1",
        f"  to stop it: headrace pipeline stop {arn} --region eu-west-1",
    ]


def test_says_that_an_execution_goes_on_when_the_waiting_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(executions, "follow_execution", interrupt)

    with pytest.raises(KeyboardInterrupt):
        wait_for_end("arn", Target(environment=None, workload=None, region=None, is_local=True))

    assert capsys.readouterr().err.splitlines() == [
        "the execution goes on",
        "  to wait for it: headrace pipeline show --wait arn --local",
        "  to stop it: headrace pipeline stop arn --local",
    ]
