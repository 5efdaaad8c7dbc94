"""Benchmarks bring their own packages, which must go together with what the library asks for."""

import subprocess
from pathlib import Path

import pytest

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
