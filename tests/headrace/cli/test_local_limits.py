"""What the account and the Region of a local cloud do not have, as the command line takes it."""

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from headrace.cli import cli
from headrace.local.engine import cloud
from headrace.local.engine.cloud import CloudError
from headrace.local.limits import Limits
from headrace.quotas import CONCURRENT_EXECUTIONS

pytestmark = pytest.mark.parametrize("command", ["run", "up"])


def test_names_the_quota_of_a_file_that_it_does_not_know(tmp_path: Path, command: str) -> None:
    file = tmp_path / "quotas.json"
    file.write_text('{"ml.m5.large for traning job usage": 0}')

    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command, "--quotas", str(file)])

    assert answer.exit_code == 1
    assert f"Error: the quota 'ml.m5.large for traning job usage' in {file} is not known" in answer.stderr


def test_starts_a_cloud_with_the_quotas_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    file = tmp_path / "quotas.json"
    file.write_text(json.dumps({CONCURRENT_EXECUTIONS: 10}))
    start = Mock(side_effect=CloudError("started"))
    monkeypatch.setattr(cloud, "start", start)

    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command, "--quotas", str(file)])

    assert answer.stderr.endswith("Error: started\n")
    assert start.call_args.kwargs["limits"] == Limits({CONCURRENT_EXECUTIONS: 10})


def test_joins_no_cloud_with_other_quotas(tmp_path: Path, command: str) -> None:
    (tmp_path / "cloud").mkdir()
    with cloud.claim(tmp_path / "cloud", 4711):
        cloud.mark_kept(tmp_path / "cloud")
        answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command, "--quotas", "new-account"])

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "is running with other quotas or another Region; stop it with 'headrace local down'" in answer.stderr


def test_names_the_regions_that_there_are(tmp_path: Path, command: str) -> None:
    answer = CliRunner().invoke(cli, ["local", "--folder", str(tmp_path), command, "--as-in-region", "eu-wst-1"])

    assert answer.exit_code == 1
    assert "Error: 'eu-wst-1' is not a Region; there are af-south-1, " in answer.stderr
