"""The command line's own manners: help, mistakes, output."""

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from headrace.cli import cli, summary
from headrace.cli.local import write_shell_lines
from headrace.cli.summary import RunSummary
from headrace.local.calls import Call, CallLog
from headrace.local.engine import cloud
from headrace.local.engine.container_images import PushedContainerImages
from headrace.local.platform.occupancy import occupy
from headrace.local.platform.pipeline import ExecutionReport, StateRun
from headrace.recipes import big_mart
from headrace.workloads import blazingtext as blazingtext_workload
from headrace.workloads import find_workload
from headrace.workloads.evaluation import ClassResult
from headrace.workloads.workload import Prediction


def list_commands() -> list[list[str]]:
    """The path of every command."""
    paths: list[list[str]] = []

    def walk(command: click.Command, path: list[str]) -> None:
        paths.append(path)
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                walk(child, [*path, name])

    walk(cli, [])
    return paths


@pytest.mark.parametrize("path", list_commands(), ids=" ".join)
def test_explains_every_command(path: list[str]) -> None:
    answer = CliRunner().invoke(cli, [*path, "--help"])

    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()) > 3


@pytest.mark.parametrize("command", [["invoke"], ["status"], ["logs"], ["page"]])
def test_says_how_to_start_a_cloud_when_none_is_up(tmp_path: Path, command: list[str]) -> None:
    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), *command])

    assert answer.exit_code == 1
    assert answer.stderr == "Error: no local cloud is running; start one with 'headrace local up'\n"
    assert answer.stdout == ""


@pytest.mark.parametrize(("most", "said"), [(1, "Only 1 different calls are kept."), (2, "")])
def test_says_that_there_were_more_calls_than_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, said: str
) -> None:
    CallLog(tmp_path).note(Call(principal="p", action="s3:ListBucket", resource="*", is_allowed=True))
    running = SimpleNamespace(root=tmp_path, evaluates_iam=True)
    monkeypatch.setattr("headrace.cli.local.use_running_cloud", lambda _: running)
    monkeypatch.setattr("headrace.cli.local.review_calls", lambda *_: [])
    monkeypatch.setattr("headrace.local.calls.MOST_CALLS", most)

    answer = CliRunner().invoke(cli, ["local", "calls", "--json"])

    assert (answer.exit_code, answer.stdout) == (0, "[]\n")
    assert answer.stderr.startswith(said)
    assert bool(answer.stderr) == bool(said)


def test_down_is_content_when_nothing_is_up(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "down"])

    assert (answer.exit_code, answer.stderr) == (0, "no local cloud is running\n")


def test_writes_an_environment_that_a_shell_takes_over_whatever_is_in_it() -> None:
    wild = {"AWS_ACCESS_KEY_ID": "AKIA", "NO_PROXY": "a b;$(touch x)'\"`id`\n*"}
    lines = write_shell_lines(wild, ["AWS_ENDPOINT_URL_S3", "HOME"])
    before = {"AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": "https://x", "AWS_PROFILE": "p"}
    tell = "import json, os; print(json.dumps(dict(os.environ)))"

    done = subprocess.run(
        ["/bin/sh", "-euc", f'eval "$1"; exec {sys.executable} -c "{tell}"', "sh", lines],
        env=before,
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    assert {name: found[name] for name in wild} == wild
    assert not before.keys() & found.keys()


def test_names_a_data_file_that_does_not_exist(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["local", "run", "--data", str(tmp_path / "sales.csv")])

    assert answer.exit_code == 2
    assert f"Path '{tmp_path}/sales.csv' does not exist" in answer.stderr


@pytest.mark.parametrize(
    ("workload", "wanted"), [("bigmart", "a CSV file"), ("images", "a folder with a sub-folder for each class")]
)
def test_says_what_data_a_workload_takes(tmp_path: Path, workload: str, wanted: str) -> None:
    given = tmp_path
    if workload == "images":
        given = tmp_path / "sales.csv"
        given.touch()

    answer = CliRunner().invoke(cli, ["local", "run", "--workload", workload, "--data", str(given)])

    assert answer.exit_code == 2
    assert f"the workload {workload} takes {wanted}" in answer.stderr


def test_names_the_port_that_is_busy(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind((cloud.HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "run", "--port", str(port)])

    assert answer.exit_code == 1
    assert f"Error: port {port} cannot be used" in answer.stderr
    assert "choose another with --port" in answer.stderr


def test_takes_an_empty_folder_for_a_mistake_and_not_for_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    answer = CliRunner().invoke(cli, ["local", "--folder", "", "status"])

    assert answer.exit_code == 2
    assert "Invalid value for '--folder': the name of the folder is empty" in answer.stderr


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "http"])
@pytest.mark.parametrize("command", ["run", "up"])
def test_refuses_a_port_that_there_is_not(tmp_path: Path, command: str, port: str) -> None:
    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command, "--port", port])

    assert answer.exit_code == 2
    assert "Invalid value for '--port'" in answer.stderr


def test_names_both_ports_when_a_cloud_is_up_on_another(tmp_path: Path) -> None:
    (tmp_path / "cloud").mkdir()
    with cloud.claim(tmp_path / "cloud", 4711):
        cloud.mark_kept(tmp_path / "cloud")
        answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "up", "--port", "4712"])

    assert answer.exit_code == 1
    assert f"the local cloud of {tmp_path} is running on port 4711, not 4712; omit --port to use it" in answer.stderr


@pytest.mark.parametrize("command", ["run", "up"])
def test_says_that_another_command_uses_the_folder_and_how_to_run_beside_it(tmp_path: Path, command: str) -> None:
    with occupy(tmp_path):
        answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command])

    assert answer.exit_code == 1
    assert re.search(
        r"Error: '.*', process \d+, uses .*; wait for its end, or give this one its own folder", answer.stderr
    )
    assert "headrace local --folder FOLDER … --port PORT" in answer.stderr


def test_down_leaves_a_cloud_that_another_command_uses(tmp_path: Path) -> None:
    (tmp_path / "cloud").mkdir()
    with occupy(tmp_path), cloud.claim(tmp_path / "cloud", 4711):
        answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "down"])

    assert answer.exit_code == 1
    assert "wait for its end, or stop both with 'headrace local down --force'" in answer.stderr


@pytest.fixture
def run_summary() -> RunSummary:
    return RunSummary(
        workload=big_mart.RECIPE.name,
        data="sales.csv",
        report=ExecutionReport(
            name="run-1",
            seconds=12.34,
            states=(StateRun(name="Preprocess", seconds=2.04), StateRun(name="Train", seconds=10.3)),
            output={
                "JobName": "run-1",
                "ModelName": "run-1",
                "EndpointName": "bigmart",
                "ModelDataUrl": "s3://work/model.tar.gz",
                "Metrics": {
                    "validation:rmse": 1054.26,
                    "validation:r2": 0.6123,
                    "baseline:rmse": 1683.4,
                    "baseline:r2": -0.0006,
                },
                "Outcome": "SERVING",
                "Rules": [
                    {
                        "Metric": "validation:rmse",
                        "Direction": "at_most",
                        "Threshold": "baseline:rmse",
                        "Margin": 0,
                        "Value": 1054.26,
                        "Limit": 1683.4,
                        "Verdict": "PASSED",
                    }
                ],
            },
        ),
        predictions=(
            Prediction(asked="FDA15 at OUT049", predicted=4202.6, actual=3735.1),
            Prediction(asked="FDL09 at OUT035", predicted=2.0, actual=None),
        ),
    )


def test_tells_states_scores_and_predictions(run_summary: RunSummary) -> None:
    assert summary.render(run_summary, find_workload(big_mart.RECIPE).scores) == (
        "data        sales.csv\n"
        "execution   run-1\n"
        "job         run-1\n"
        "model       run-1\n"
        "endpoint    bigmart\n"
        "model data  s3://work/model.tar.gz\n"
        "\n"
        "state       seconds\n"
        "──────────  ───────\n"
        "Preprocess      2.0\n"
        "Train          10.3\n"
        "SUCCEEDED      12.3\n"
        "\n"
        "held out           RMSE      R²\n"
        "──────────────  ───────  ──────\n"
        "random forest   1,054.3   0.612\n"
        "mean predictor  1,683.4  -0.001\n"
        "\n"
        "gate                 value  must be                            verdict\n"
        "───────────────  ─────────  ─────────────────────────────────  ───────\n"
        "validation:rmse  1,054.260  at most 1,683.400 (baseline:rmse)  PASSED\n"
        "\n"
        "asked through InvokeEndpoint  predicted   actual\n"
        "────────────────────────────  ─────────  ───────\n"
        "FDA15 at OUT049                 4,202.6  3,735.1\n"
        "FDL09 at OUT035                     2.0"
    )


def refuse(run: RunSummary, *rules: dict[str, Any]) -> RunSummary:
    """The same run, if these rules had refused the model."""
    refused = {key: value for key, value in run.report.output.items() if key != "ModelName"}
    output = {**refused, "Outcome": "REFUSED", "Rules": list(rules)}
    return replace(run, report=replace(run.report, output=output), predictions=())


def test_says_why_a_model_is_refused_and_what_serves(run_summary: RunSummary) -> None:
    asked = {"Metric": "validation:r2", "Direction": "at_least"}
    failed = {**asked, "Threshold": 0.8, "Margin": 0.1, "Value": 0.6123, "Limit": 0.72, "Verdict": "FAILED"}
    unmeasured = {**asked, "Threshold": "train:r2", "Margin": 0, "Verdict": "NOT_MEASURED", "Reason": "no train:r2"}

    refused = summary.render(refuse(run_summary, failed, unmeasured), find_workload(big_mart.RECIPE).scores)

    assert refused.startswith(
        "data        sales.csv\n"
        "execution   run-1\n"
        "job         run-1\n"
        "outcome     the model is refused by the gate and not served\n"
        "endpoint    bigmart, as it was before\n"
    )
    assert refused.endswith(
        "gate           value  must be                        verdict\n"
        "─────────────  ─────  ─────────────────────────────  ─────────────────────────\n"
        "validation:r2  0.612  at least 0.720 (0.800 -10.0%)  FAILED\n"
        "validation:r2      -  at least - (train:r2)          NOT_MEASURED: no train:r2"
    )


def test_says_that_a_model_waits_for_approval(run_summary: RunSummary) -> None:
    version = "arn:aws:sagemaker:us-east-1:000000000000:model-package/headrace-dev-bigmart/1"
    output = {**run_summary.report.output, "Outcome": "PENDING_APPROVAL", "ModelPackageArn": version}
    pending = replace(run_summary, report=replace(run_summary.report, output=output), predictions=())

    shown = summary.render(pending, find_workload(big_mart.RECIPE).scores)

    assert f"version     {version}\nendpoint    bigmart, as it was before\n" in shown


def test_says_where_the_answers_to_a_batch_are(run_summary: RunSummary) -> None:
    output = {**run_summary.report.output, "Outcome": "TRANSFORMED", "TransformedUrl": "s3://work/transformed/"}
    transformed = replace(run_summary, report=replace(run_summary.report, output=output), predictions=())

    shown = summary.render(transformed, find_workload(big_mart.RECIPE).scores)

    assert "\ntransformed s3://work/transformed/\n" in shown
    assert "\nendpoint " not in shown


def test_shows_no_scores_of_a_run_whose_job_has_reported_no_metric(run_summary: RunSummary) -> None:
    output = {**run_summary.report.output, "Metrics": {}}
    unmeasured = replace(run_summary, report=replace(run_summary.report, output=output))

    assert "held out" not in summary.render(unmeasured, find_workload(big_mart.RECIPE).scores)


def test_shows_how_good_the_answers_are_beside_chance(run_summary: RunSummary) -> None:
    output = {**run_summary.report.output, "Metrics": {}}
    measured = replace(
        run_summary,
        report=replace(run_summary.report, output=output),
        metrics={blazingtext_workload.SYNONYMS_FOUND: 0.9875, blazingtext_workload.CHANCE: 0.0026},
    )

    assert (
        "held out        planted synonyms found\n"
        "──────────────  ──────────────────────\n"
        "word vectors                     0.988\n"
        "any other word                   0.003\n"
    ) in summary.render(measured, blazingtext_workload.Run.scores)


def test_leaves_out_scores_of_another_kind_of_model(run_summary: RunSummary) -> None:
    metrics = {"validation:rmse": 1054.26, "baseline:rmse": 1683.4}
    report = replace(run_summary.report, output={**run_summary.report.output, "Metrics": metrics})

    text = summary.render(replace(run_summary, report=report), find_workload(big_mart.RECIPE).scores)

    assert "RMSE" in text
    assert "R²" not in text


def test_shows_how_classes_are_recognized(run_summary: RunSummary) -> None:
    classes = (
        ClassResult(label="ball", examples=4, recognized=4, taken_for={}),
        ClassResult(label="kite", examples=9, recognized=1, taken_for={"ball": 4, "gear": 2, "moon": 1, "cross": 1}),
    )

    shown = summary.render(replace(run_summary, classes=classes), find_workload(big_mart.RECIPE).scores)

    assert (
        "held out class  examples  recognized  taken for\n"
        "──────────────  ────────  ──────────  ────────────────────────────\n"
        "ball                   4           4\n"
        "kite                   9           1  ball (4), gear (2), moon (1)\n"
    ) in shown


def test_shows_of_many_classes_those_with_the_most_mistakes(run_summary: RunSummary) -> None:
    classes = tuple(
        ClassResult(label=f"class {number}", examples=20, recognized=number, taken_for={}) for number in range(20)
    )

    shown = summary.render(replace(run_summary, classes=classes[::-1]), find_workload(big_mart.RECIPE).scores)

    rows = [line.split("  ")[0] for line in shown.splitlines() if line.startswith("class ")]
    assert rows == [f"class {number}" for number in range(summary.MOST_CLASSES)]
    assert "\nand 8 more\n" in shown


def test_shows_what_runs_and_what_does_not() -> None:
    seen = {"stacks": [{"name": "storage", "status": "CREATE_COMPLETE"}], "endpoints": []}

    assert summary.render_status("http://127.0.0.1:4566", seen) == (
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566\n"
        "\n"
        "stacks   status\n"
        "───────  ───────────────\n"
        "storage  CREATE_COMPLETE\n"
        "\n"
        "endpoints  status\n"
        "─────────  ──────\n"
        "none"
    )


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ([], "give either --python or --engine-image"),
        (["--python", sys.executable, "--engine-image", "a"], "give either --python or --engine-image"),
        (["--engine-image", "a", "--program", __file__], "--program requires --python"),
        (["--python", "/absent/python"], "does not exist"),
    ],
)
def test_says_what_bringing_an_image_takes(tmp_path: Path, options: list[str], mistake: str) -> None:
    result = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), "bring", "mine:1", *options])

    assert result.exit_code == 2
    assert mistake in result.output


def test_brings_an_image(tmp_path: Path) -> None:
    arguments = ["local", "--folder", str(tmp_path), "bring", "mine:1", "--python", sys.executable]

    assert CliRunner().invoke(cli, arguments).exit_code == 0

    assert PushedContainerImages(tmp_path / "cloud", {}).resolve("mine:1").entrypoint == (sys.executable,)
