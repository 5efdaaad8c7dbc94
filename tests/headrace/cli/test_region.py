"""Commands work in the Region that the settings name, or else in that of the AWS clients, and say how to have one."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace import checkout
from headrace.cli import cli
from headrace.cli.region import read_region, use_region
from headrace.deletion import planning
from headrace.deletion.planning import Plan
from headrace.tools import ToolError

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


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's settings; the program that reads them is this one's."""
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)
    (tmp_path / "stacks" / "settings").mkdir(parents=True)
    for part in ("stacks/__init__.py", "stacks/settings/__init__.py"):
        (tmp_path / part).touch()
    (tmp_path / "cdk.json").touch()
    return tmp_path / "stacks" / "settings" / "where.py"


@pytest.mark.parametrize(("printed", "region"), [("", None), ("eu-west-3", "eu-west-3")])
def test_asks_the_settings_for_the_region_of_an_environment(printed: str, region: str | None, settings: Path) -> None:
    settings.write_text(f"import sys; print({printed!r} if sys.argv[1:] == ['prod'] else sys.argv, end='')")

    assert read_region("prod") == region


def test_says_what_is_wrong_with_the_settings_instead_of_looking_elsewhere(settings: Path) -> None:
    settings.write_text("raise SystemExit('environments.prod.regoin: unknown key')")

    with pytest.raises(ToolError, match=r"in which Region 'prod' is:\nenvironments\.prod\.regoin: unknown key"):
        read_region("prod")


def test_asks_nobody_where_a_local_cloud_answers(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.write_text("raise SystemExit(1)")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert read_region("prod") is None


def test_reads_no_region_without_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)

    assert read_region("dev") is None


@pytest.mark.parametrize("command", [["teardown", "--env", "dev"], ["deploy"], ["containers", "push"]])
def test_says_what_to_set_where_no_region_is_known(command: list[str]) -> None:
    answer = CliRunner(env=WITHOUT_REGION).invoke(cli, command)

    assert answer.exit_code == 1
    assert "your AWS clients have no Region: set the variable AWS_DEFAULT_REGION" in answer.stderr


def test_says_where_it_has_found_nothing_to_tear_down(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Plan(environment="dev", stacks=(), items=(), made=(), kept=())
    monkeypatch.setattr(planning, "make_plan", lambda *_: nothing)

    answer = CliRunner().invoke(cli, ["teardown", "--env", "dev", "--region", "eu-west-3"])

    assert answer.exit_code == 0
    assert "nothing of the environment 'dev' stands in eu-west-3; look with --region" in answer.stderr
