"""What tests of the training program share."""

import os

import pytest

from tests.torch_packages import require_torch


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch with one thread: those of a small network mostly wait for each other, and for tests beside them."""
    require_torch()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("containers.resnet.program.count_cpus", lambda: 1)
