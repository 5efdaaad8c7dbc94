"""The containers' programs as processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.container_images import CONTAINERS_DIRECTORY
from headrace.recipes import ContainerImage


def start_program(
    container: ContainerImage, *arguments: str, root: Path, **environment: str
) -> "subprocess.Popen[str]":
    """A program over a root; the repository stands for the modules that its image carries."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", container.package, *arguments],
        env={"PYTHONPATH": str(CONTAINERS_DIRECTORY.parent), "HEADRACE_ML_ROOT": str(root), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(container: ContainerImage, root: Path, port: int, workers: int = 2) -> Iterator["subprocess.Popen[str]"]:
    """An endpoint's program, all workers of which have reported their model."""
    settings = {
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "HEADRACE_SERVE_WORKERS": str(workers),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    with start_program(container, "serve", root=root, **settings) as process:
        assert process.stdout
        for _ in range(workers):
            assert json.loads(process.stdout.readline())["event"].startswith("model_")
        try:
            yield process
        finally:
            process.terminate()
