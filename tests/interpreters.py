"""Other Pythons of this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest


def find_python(version: str) -> Path:
    """An interpreter of that version among pyenv's or on PATH; without one, the test is skipped."""
    on_path = shutil.which(f"python{version}")
    found = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), *([Path(on_path)] if on_path else [])]
    for python in found:
        # A shim of pyenv's is there for versions that are not switched on, and fails.
        if subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip(f"there is no Python {version} on PATH or among pyenv's")
