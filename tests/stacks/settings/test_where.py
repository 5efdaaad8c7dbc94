"""Commands that know no stacks learn from the settings' own program where an environment is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.settings import where
from stacks.settings.mistakes import SettingsError
from stacks.settings.where import find_region
from tests.conftest import PROJECT

GIVEN: dict[str, Any] = {"retain_data": False}
ENVIRONMENTS: dict[str, Any] = {"dev": GIVEN, "prod": {**GIVEN, "region": "eu-west-3"}, "odd": {**GIVEN, "region": 3}}


@pytest.mark.parametrize(("environment", "region"), [("dev", None), ("prod", "eu-west-3"), ("gone", None)])
def test_finds_the_region_that_an_environment_names(environment: str, region: str | None) -> None:
    assert find_region(environment, ENVIRONMENTS) == region


def test_refuses_settings_that_cannot_be() -> None:
    with pytest.raises(SettingsError, match=r"environments\.odd\.region: found 3"):
        find_region("odd", ENVIRONMENTS)


def test_prints_nothing_where_none_is_named_and_starts_no_jsii() -> None:
    module = "import runpy, sys; runpy.run_module('stacks.settings.where', run_name='__main__')"
    program = f"{module}; assert 'jsii' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", program, "dev"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("text", "reason"), [('{"context": {},}', "it is not JSON"), ("{}", "it has no key 'context'")]
)
def test_says_what_is_wrong_with_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr(where, "_CONTEXT", tmp_path / "cdk.json")

    with pytest.raises(SystemExit, match=reason):
        where.main()
