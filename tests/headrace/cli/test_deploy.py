"""`headrace deploy` ends as `cdk deploy` does, unless the account is refused Object Lambda alone."""

import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from headrace import cdk
from headrace.cli import cli, deploy
from headrace.object_lambda import ObjectLambdaAttempt


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were to start."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 1 if "--fail" in command else 0)

    monkeypatch.setattr(cdk, "find_cdk", lambda: ["cdk"])
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(deploy, "read_region", lambda _: None)
    monkeypatch.setattr(ObjectLambdaAttempt, "__init__", lambda *_: None)
    return calls


def run_deploy(refusal: str, *arguments: str, monkeypatch: pytest.MonkeyPatch, hint: str = "") -> Result:
    monkeypatch.setattr(ObjectLambdaAttempt, "find_refusal", lambda _: refusal)
    monkeypatch.setattr(ObjectLambdaAttempt, "find_hint", lambda _: hint)
    return CliRunner().invoke(cli, ["deploy", "--env", "prod", "--", *arguments])


def test_hands_the_environment_and_everything_else_to_cdk(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run_deploy("", "--require-approval", "never", monkeypatch=monkeypatch)

    assert (answer.exit_code, answer.output) == (0, "")
    assert calls == [["cdk", "deploy", "--all", "--context", "env=prod", "--require-approval", "never"]]


def test_ends_well_and_says_what_was_left_out(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = run_deploy("left out: S3 Object Lambda", "--fail", monkeypatch=monkeypatch)

    assert (answer.exit_code, answer.stderr) == (0, "left out: S3 Object Lambda\n")


def test_ends_as_cdk_does_when_anything_else_fails(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_deploy("", "--fail", monkeypatch=monkeypatch).exit_code == 1


def test_ends_as_cdk_does_with_a_hint_when_a_permission_was_missing(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run_deploy("", "--fail", monkeypatch=monkeypatch, hint="set normalizer.object_lambda to false")

    assert (answer.exit_code, answer.stderr) == (1, "set normalizer.object_lambda to false\n")


def test_ends_as_cdk_does_when_cloudformation_does_not_say_what_failed(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_refusal(_: ObjectLambdaAttempt) -> str:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeStacks")

    monkeypatch.setattr(ObjectLambdaAttempt, "find_refusal", find_refusal)
    answer = CliRunner().invoke(cli, ["deploy", "--", "--fail"])

    assert answer.exit_code == 1
    assert "Object Lambda alone was left out is not known" in answer.stderr
    assert "Rate exceeded" in answer.stderr
