"""PyTorch for tests that need it: they run where it is, and are skipped with the reason where it is not."""

import sys
from pathlib import Path

import pytest

from headrace.torch_packages import find_torch


def require_torch() -> Path:
    """The folder of packages that has PyTorch, which this process can then import."""
    packages = find_torch()
    if packages is None:
        pytest.skip("PyTorch is absent; make setup-torch installs it")
    if str(packages) not in sys.path:
        sys.path.append(str(packages))
    return packages
