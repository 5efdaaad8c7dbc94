"""The containers' programs as processes."""

import subprocess
import sys
from pathlib import Path

from millrace.container_images import CONTAINERS_DIRECTORY
from millrace.contract import Container


def start_program(container: Container, *arguments: str, root: Path, **environment: str) -> "subprocess.Popen[str]":
    """A program over a root; the repository stands for the modules that its image carries."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", container, *arguments],
        cwd=CONTAINERS_DIRECTORY,
        env={"PYTHONPATH": str(CONTAINERS_DIRECTORY.parent), "MILLRACE_ML_ROOT": str(root), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
