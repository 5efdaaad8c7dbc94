"""Endpoints over loopback with a worker per CPU: a container image's program, and an application of Flask's."""

import os
import pickle
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Where a Flask application finds its model.
MODEL_VARIABLE = "BENCH_MODEL"

Served = AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]


def serve_ours(package: str, root: Path) -> Served:
    """A container image's program, with the model under a root; its port and process once it is healthy."""
    port = find_free_port()
    environment = {
        "HEADRACE_ML_ROOT": str(root),
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    return serve([sys.executable, "-m", package, "serve"], ROOT, environment, port)


def serve_flask(module: str, model: Path) -> Served:
    """The application that a benchmark's `create_book_app` makes, behind gunicorn; its port and process as well."""
    port = find_free_port()
    # One thread keeps connections alive, as nginx does before sync workers; more only get in each other's way.
    options = ["-k", "gthread", "--threads", "1", "-w", str(os.cpu_count()), "-b", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", "--log-level", "error", *options, f"{module}:create_book_app()"]
    return serve(command, Path(__file__).parent, {MODEL_VARIABLE: str(model)}, port)


def open_book_app() -> tuple[Any, Any]:
    """An application of Flask's that says it is healthy, and the model that it gets from a pickle."""
    import flask

    app = flask.Flask(__name__)
    with Path(os.environ[MODEL_VARIABLE]).open("rb") as file:
        model = pickle.load(file)  # noqa: S301 - this is what such endpoints do

    @app.route("/ping")
    def ping() -> Any:
        return flask.Response("\n", 200, mimetype="application/json")

    return app, model


@contextmanager
def serve(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], port: int
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        await_health(port)
        yield port, process
    finally:
        process.terminate()
        process.wait(30)


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def await_health(port: int) -> None:
    """Wait until ten pings in a row went well: the workers become ready one by one."""
    healthy, deadline = 0, time.monotonic() + 120
    while healthy < 10:
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not become healthy within two minutes")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=10).close()
            healthy += 1
        except (OSError, urllib.error.URLError):
            healthy = 0
            time.sleep(0.2)


def list_family(process: subprocess.Popen[bytes]) -> list[Any]:
    """A server's process and its workers, as psutil sees them."""
    import psutil

    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def sum_cpu_seconds(family: Sequence[Any]) -> float:
    return sum(sum(member.cpu_times()[:2]) for member in family)
