"""Models that crash, or take long, while they are loaded or never answer, in the serving program as a process."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from containers.shared import sagemaker
from headrace.container_images import CONTAINERS_DIRECTORY
from headrace.loopback import find_free_port
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from containers.shared.serving import server

server.SHUTDOWN_SECONDS = 0.2
sys.exit(server.main("hostile", ["serve"]))
"""
TEXT = {"content-type": "text/plain"}
SERVICE = """
import os, threading
from containers.shared.serving.service import Prediction, Service

class Model:
    def __init__(self, folder):
        {load}

    def describe(self):
        return {{}}

    def predict(self, body, content_type, media_type):
        {{b"answer": lambda: None, b"end": lambda: os._exit(2)}}.get(body, threading.Event().wait)()
        return Prediction(body, {{}})

SERVICE = Service(load=Model, reads=("text/plain",), writes=("text/plain",), batch_strategy="MULTI_RECORD", advice="")
"""


@contextmanager
def serving(folder: Path, *, load: str = "pass", workers: int, port: int) -> Iterator["subprocess.Popen[str]"]:
    """The serving program, of a package whose model does this when it is loaded, and answers `answer` alone."""
    package = folder / "hostile"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "service.py").write_text(SERVICE.format(load=load))
    environment = {
        "PYTHONPATH": f"{CONTAINERS_DIRECTORY.parent}:{folder}",
        "HEADRACE_ML_ROOT": str(folder),
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "HEADRACE_SERVE_WORKERS": str(workers),
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    command = [sys.executable, "-u", "-c", PROGRAM]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_ends_when_every_worker_crashes_while_it_loads_the_model(tmp_path: Path) -> None:
    with serving(tmp_path, load="os.abort()", workers=2, port=find_free_port()) as process:
        log, _ = process.communicate()

    assert process.returncode == sagemaker.INTERNAL_ERROR_EXIT
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["worker_ended_while_loading"]


def test_starts_a_worker_again_that_ended_after_it_had_loaded_the_model(tmp_path: Path) -> None:
    once = f"os.replace({str(tmp_path / 'first')!r}, {str(tmp_path / 'gone')!r})"
    ending = f"threading.Timer(0.5, os._exit, [2]).start() if not {once} else None"
    load = f"""
        try:
            {ending}
        except FileNotFoundError:
            pass
    """
    (tmp_path / "first").touch()

    with serving(tmp_path, load=load, workers=2, port=(port := find_free_port())) as process:
        assert process.stdout
        events = [json.loads(process.stdout.readline())["event"] for _ in range(3)]

        assert events == ["model_loaded"] * 3
        assert httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200


@contextmanager
def loading_again(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The program and its address while a worker that was started again loads the model beside one that has it."""
    os.mkfifo(loading := folder / "loading")
    load = f"""
        if os.path.exists({str(folder / "loaded")!r}):
            open({str(loading)!r}).read()
    """
    address = f"http://127.0.0.1:{(port := find_free_port())}"
    with serving(folder, load=load, workers=2, port=port) as process:
        assert process.stdout
        assert [json.loads(process.stdout.readline())["event"] for _ in range(2)] == ["model_loaded"] * 2
        (folder / "loaded").touch()
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{address}/invocations", content=b"end", headers=TEXT)
        # This waits until the new worker reads it.
        with loading.open("w"):
            yield process, address


def test_gives_no_request_to_a_worker_that_is_started_again_until_it_has_loaded_the_model(tmp_path: Path) -> None:
    with loading_again(tmp_path) as (_, address):
        answers = {
            (
                httpx.get(f"{address}/ping").status_code,
                httpx.post(f"{address}/invocations", content=b"answer", headers=TEXT).text,
            )
            for _ in range(20)
        }

    assert answers == {(200, "answer")}


def test_ends_when_terminated_while_a_worker_that_is_started_again_loads_the_model(tmp_path: Path) -> None:
    with loading_again(tmp_path) as (process, _):
        process.terminate()

        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_ends_when_terminated_during_a_prediction_without_an_end(tmp_path: Path, workers: int) -> None:
    address = f"http://127.0.0.1:{(port := find_free_port())}"

    def ask() -> None:
        with suppress(httpx.HTTPError):
            httpx.post(f"{address}/invocations", content=b"1", headers=TEXT, timeout=100)

    with serving(tmp_path, workers=workers, port=port) as process:
        assert process.stdout
        for _ in range(workers):
            assert json.loads(process.stdout.readline())["event"] == "model_loaded"
        asking = threading.Thread(target=ask)
        asking.start()
        while "headrace_requests_in_flight 1\n" not in httpx.get(f"{address}/metrics").text:
            pass
        process.terminate()

        assert process.wait() == 0
        asking.join()
