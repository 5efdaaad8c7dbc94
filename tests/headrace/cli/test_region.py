"""Commands work in the Region that the settings name, or else in that of the AWS clients, and say how to have one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headrace import checkout
from headrace.cli import cli
from headrace.cli.region import read_region, use_region
from headrace.deletion import environment as deletion
from headrace.deletion.executions import Made

WITHOUT_REGION = {"AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL": None, "AWS_CONFIG_FILE": "/dev/null"}


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_uses_the_region_that_the_settings_name() -> None:
    use_region("eu-west-3")

    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-3"


@pytest.mark.parametrize(("region", "endpoint"), [(None, ""), ("eu-west-3", "http://127.0.0.1:4566")])
def test_leaves_the_region_where_the_settings_name_none_or_a_local_cloud_answers(
    region: str | None, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    use_region(region)

    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"


@pytest.mark.parametrize(
    ("environment", "region"), [("dev", None), ("prod", "eu-west-3"), ("none", None), ("odd", None), ("text", None)]
)
def test_reads_the_region_of_an_environment(
    environment: str, region: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments: dict[str, Any] = {"dev": {}, "prod": {"region": "eu-west-3"}, "odd": {"region": 3}, "text": "any"}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"environments": environments}}))
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)

    assert read_region(environment) == region


def test_reads_no_region_without_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)

    assert read_region("dev") is None


@pytest.mark.parametrize("command", [["destroy", "--env", "dev"], ["deploy"], ["containers", "push"]])
def test_says_what_to_set_where_no_region_is_known(command: list[str]) -> None:
    answer = CliRunner(env=WITHOUT_REGION).invoke(cli, command)

    assert answer.exit_code == 1
    assert "your AWS clients have no Region: set the variable AWS_DEFAULT_REGION" in answer.stderr


def test_says_where_it_has_found_nothing_to_destroy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "find_doomed", lambda _: deletion.Doomed((), Made()))

    answer = CliRunner().invoke(cli, ["destroy", "--env", "dev", "--region", "eu-west-3"])

    assert answer.exit_code == 0
    assert "no stack of the environment 'dev' stands in eu-west-3; look with --region" in answer.stderr
