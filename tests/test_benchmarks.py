"""Benchmarks bring their own packages, which must go together with what the library asks for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.examples import only_exhaustive

SCRIPTS = sorted((Path(__file__).parents[1] / "benchmarks").glob("bench_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_packages_go_together(script: Path) -> None:
    done = subprocess.run(
        ["uv", "lock", "--script", str(script), "--dry-run"], capture_output=True, text=True, timeout=300, check=False
    )
    if "Failed to fetch" in done.stderr:
        pytest.skip("the package index is out of reach")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@only_exhaustive("tests/end_to_end/test_bulk_normalizing.py loses and doubles nothing either, on the deployed platform")
def test_bulk_normalizing_in_a_small_form_loses_and_doubles_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/bulk.py", "--photographs", "200"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    one, four = figures["one"], figures["four"]
    assert figures["reached"]["exact"], figures
    assert (one["exit_code"], four["exit_codes"]) == (0, [[0, -9, 0, 0], [0, 0, 0, 0]])
    assert 0 < four["missing_after_the_kill"] < 100
    assert sum(four["made"]) == four["summary"]["photographs"] == 200
    assert four["summary"]["is_complete"]
