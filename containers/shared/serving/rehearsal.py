"""Asks a model golden requests before it serves: starts this container's own server on it, as an endpoint would.

It runs as a processing job of the serving container image, with these arguments:

    --model FILE       the model's archive
    --requests FILE    the golden requests
"""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from containers.shared import sagemaker
from containers.shared.job.arguments import ArgumentParser
from containers.shared.job.reporting import PROCESSING_REPORTS, report_failure, run_and_report
from containers.shared.serving.settings import HOST_VARIABLE, WORKERS_VARIABLE
from headrace.errors import HeadraceError
from headrace.golden.answers import UnansweredError, describe, find_wrong
from headrace.golden.contract import MODEL_ARGUMENT, REQUESTS_ARGUMENT
from headrace.golden.requests import GoldenRequest, parse_requests

# What SageMaker gives a container to become healthy, and a request to be answered.
START_SECONDS: Final = 480
ANSWER_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 0.1
_LOOPBACK: Final = "127.0.0.1"
_OK: Final = 200


class RehearsalError(Exception):
    """A model that should not serve, or that could not be asked."""


def main(package: str, arguments: Sequence[str]) -> int:
    """Rehearse a model with the server of a package, and return the exit code; the message names what is wrong."""
    root = sagemaker.find_root()
    report = partial(report_failure, root, reports=PROCESSING_REPORTS)
    return run_and_report(partial(rehearse, package, arguments), RehearsalError, report)


def rehearse(package: str, arguments: Sequence[str]) -> None:
    """Ask the model every golden request.

    Raises:
        RehearsalError: If an answer is not the expected one, or none comes.
    """
    model, requests = _read_arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _unpack(model, root / sagemaker.MODEL_FOLDER)
        with _serve(package, root) as port:
            wrong = find_wrong(requests, partial(_send, port))
    if wrong:
        raise RehearsalError(describe(wrong, len(requests)))
    sys.stdout.write(f"all {len(requests)} golden requests are answered as expected\n")


def _read_arguments(arguments: Sequence[str]) -> tuple[Path, list[GoldenRequest]]:
    parser = ArgumentParser(mistake=RehearsalError, prog="rehearsal")
    parser.add_argument(MODEL_ARGUMENT, required=True, type=Path)
    parser.add_argument(REQUESTS_ARGUMENT, required=True, type=Path)
    given = parser.parse_args(arguments)
    try:
        return given.model, parse_requests(given.requests.read_bytes(), given.requests.name)
    except OSError as error:
        raise RehearsalError(f"{given.requests}: {error.strerror}; are the golden requests in the bucket?") from error
    except HeadraceError as error:
        raise RehearsalError(str(error)) from error


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a model as SageMaker does, but for links and devices that lead out of it."""
    folder.mkdir()
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    except (OSError, tarfile.TarError, EOFError) as error:
        raise RehearsalError(f"{archive.name}: the model cannot be unpacked: {error}") from error


@contextlib.contextmanager
def _serve(package: str, root: Path) -> Iterator[int]:
    """The port of this container's server, once it is healthy."""
    port = _find_port()
    environment: Mapping[str, str] = {
        **os.environ,
        sagemaker.ML_ROOT_VARIABLE: str(root),
        sagemaker.PORT_VARIABLE: str(port),
        HOST_VARIABLE: _LOOPBACK,
        # One request is sent at a time.
        WORKERS_VARIABLE: "1",
    }
    command = [sys.executable, "-m", package, sagemaker.SERVE_COMMAND]
    with subprocess.Popen(command, env=environment) as server:
        try:
            _await_health(server, port)
            yield port
        finally:
            server.terminate()


def _find_port() -> int:
    with socket.socket() as free:
        free.bind((_LOOPBACK, 0))
        return int(free.getsockname()[1])


def _await_health(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while not _is_healthy(port):
        if (code := server.poll()) is not None:
            raise RehearsalError(f"the server ended with exit code {code} before it was healthy; its log says why")
        if time.monotonic() > end:
            raise RehearsalError(f"the server was not healthy after {START_SECONDS} s")
        time.sleep(_PAUSE_SECONDS)


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", sagemaker.PING_PATH)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _send(port: int, request: GoldenRequest) -> bytes:
    headers = {"Content-Type": request.content_type, "Accept": request.accept}
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", sagemaker.INVOCATIONS_PATH, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnansweredError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if answer.status != _OK:
        raise UnansweredError(f"status {answer.status}: {body.decode('utf-8', errors='replace')}")
    return body
