"""The script for a machine with a GPU runs in a small form, so that a borrowed machine is not wasted on it."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import PROJECT
from tests.torch_packages import require_torch


@pytest.mark.slow
def test_runs_in_a_small_form() -> None:
    environment = {**os.environ, "PYTHONPATH": str(require_torch()), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}

    done = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", "--tiny"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["loss"]["steps"] == 5
    assert figures["loss"]["largest_relative_difference"] == 0
    assert figures["eager"]["fed_images_per_second"] > 0
    assert 0 <= figures["eager"]["waited_share"] <= 1
    assert figures["compiled"] is None
