"""`headrace pipeline` as a program, on files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headrace.cli import cli, pipeline_options
from headrace.local.engine import cloud
from tests.headrace.cli.programs import ForkServer
from tests.headrace.pipeline.events import Events
from tests.headrace.pipeline.machines import ORDERS

TEMPLATE = {
    "Resources": {
        "Orders": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": {
                    "Fn::Join": [
                        "",
                        [
                            '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:',
                            {"Ref": "AWS::Partition"},
                            ':states:::sns:publish", "Parameters": {"TopicArn": "',
                            {"Fn::GetStackOutput": {"StackName": "other"}},
                            '"}, "End": true}}}',
                        ],
                    ]
                }
            },
        }
    },
    "Outputs": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A definition, the history of an execution, and a synthesized app."""
    (tmp_path / "orders.json").write_text(json.dumps(ORDERS))
    events = Events()
    events.work("Validate")
    printed = [{**event, "timestamp": event["timestamp"].isoformat()} for event in events.all]
    (tmp_path / "history.json").write_text(json.dumps({"events": printed}))
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Shop.json").write_text(json.dumps(TEMPLATE))
    return tmp_path


def test_draws_a_definition_without_an_account(headrace: ForkServer, folder: Path) -> None:
    done = headrace.run("pipeline", "graph", "--definition", "orders.json", "-o", "orders.svg", cwd=folder)

    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    assert "<title>orders</title>" in (folder / "orders.svg").read_text()


def test_draws_to_standard_output(headrace: ForkServer, folder: Path) -> None:
    done = headrace.run("pipeline", "graph", "--definition", "orders.json", cwd=folder)

    assert done.code == 0
    assert done.stdout.startswith("<svg ")
    assert done.stdout.endswith("</svg>\n")


def test_draws_a_history_that_the_aws_command_line_has_printed(headrace: ForkServer, folder: Path) -> None:
    done = headrace.run("pipeline", "graph", "--definition", "orders.json", "--history", "history.json", cwd=folder)

    assert done.code == 0
    assert "succeeded, 4.0 s" in done.stdout


@pytest.mark.parametrize("name", ["Shop", "Shop/Orders"])
def test_draws_a_synthesized_state_machine_by_name(headrace: ForkServer, folder: Path, name: str) -> None:
    done = headrace.run("pipeline", "graph", "--assembly", "app", "--state-machine", name, cwd=folder)

    assert done.code == 0
    assert "SNS: Publish" in done.stdout


def write_history(folder: Path, content: Any) -> tuple[str, ...]:
    (folder / "bad.json").write_text(json.dumps(content))
    return ("--definition", "orders.json", "--history", "bad.json")


@pytest.mark.parametrize("content", [[], {}, {"events": []}, {"events": [7]}, {"events": [{"id": 1}]}])
def test_says_that_a_file_holds_no_history(headrace: ForkServer, folder: Path, content: Any) -> None:
    done = headrace.run("pipeline", "graph", *write_history(folder, content), cwd=folder)

    assert (done.code, done.stdout) == (1, "")
    assert "bad.json: is not what 'aws stepfunctions get-execution-history' prints" in done.stderr


def test_says_that_an_execution_is_of_another_state_machine(headrace: ForkServer, folder: Path) -> None:
    events = Events()
    events.enter("Elsewhere")
    printed = [{**event, "timestamp": event["timestamp"].timestamp()} for event in events.all]

    done = headrace.run("pipeline", "graph", *write_history(folder, {"events": printed}), cwd=folder)

    assert done.code == 1
    assert "is of another state machine: it went through 'Elsewhere', which orders.json does not have" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("--definition", "app/Shop.json"), 1, "app/Shop.json: the definition needs States"),
        (("--definition", "none.json"), 2, "'none.json' does not exist"),
        (("--assembly", "none"), 1, "none: is not a folder"),
        (
            ("--assembly", "app", "--state-machine", "Sales"),
            1,
            "app has no state machine of the name 'Sales'; it has: Shop/",
        ),
        (("--definition", "orders.json", "--assembly", "app"), 2, "give either --definition or --assembly"),
        (("--execution", "one", "--history", "history.json"), 2, "give either --execution or --history"),
    ],
)
def test_says_what_it_cannot_draw(
    headrace: ForkServer, folder: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    done = headrace.run("pipeline", "graph", *arguments, "-o", "drawn.svg", cwd=folder)

    assert done.code == code
    assert reason in done.stderr
    assert not (folder / "drawn.svg").exists()


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "your AWS clients have no credentials"),
        (("AWS_DEFAULT_REGION", "AWS_REGION"), "your AWS clients have no Region"),
    ],
)
def test_says_what_aws_clients_lack(
    missing: tuple[str, ...], reason: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pipeline_options, "read_region", lambda _: None)

    done = CliRunner().invoke(cli, ["pipeline", "start"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {reason}")


def test_says_that_no_local_cloud_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "find", lambda _: None)

    done = CliRunner().invoke(cli, ["pipeline", "list", "--local"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: no local cloud is running; start one with 'headrace local up'\n"
