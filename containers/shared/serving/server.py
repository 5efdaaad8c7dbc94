"""The program of every endpoint: serves a workload's model over HTTP until a signal stops it."""

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess, multiprocess

from containers.shared import sagemaker
from containers.shared.serving.connections import PatientProtocol
from containers.shared.serving.endpoint import BATCH, MODEL_REFUSED_EXIT, REAL_TIME, Endpoint
from containers.shared.serving.events import log_event
from containers.shared.serving.metrics import Board, Metrics
from containers.shared.serving.service import Service
from containers.shared.serving.settings import (
    ACCESS_LOG_EVERY,
    ServerSettings,
    ServerSettingsError,
    read_server_settings,
)
from containers.shared.serving.traffic import Traffic

# SageMaker kills a container 30 seconds after asking it to stop, and answers take at most a few.
SHUTDOWN_SECONDS = 10
# Longer than the pauses between SageMaker's health checks, so that they reuse a connection.
KEEP_ALIVE_SECONDS = 75
# A worker that loads a large model is silent for a while.
WORKER_SILENCE_SECONDS = 60


def main(package: str, arguments: Sequence[str]) -> int:
    """Serve the SERVICE of the package's `service` module until a signal stops it, and return the exit code."""
    try:
        check_command(arguments)
        settings = read_server_settings()
    except ServerSettingsError as error:
        sys.stderr.write(f"{error}\n")
        return sagemaker.USER_ERROR_EXIT
    board = Board(settings.workers)
    return serve(configure(partial(create_app, f"{package}.service", board), settings, factory=True), board)


def create_app(module: str, board: Board) -> Endpoint:
    """The application of one worker process, configured by the environment."""
    settings = read_server_settings()
    traffic = Traffic(every=settings.access_log == ACCESS_LOG_EVERY)
    # Here and not in the supervisor, which has no use for the model's packages.
    service: Service = import_module(module).SERVICE
    patience = BATCH if settings.is_batch else REAL_TIME
    return Endpoint(service, settings.root, settings.workers, traffic, Metrics(board), patience)


def check_command(arguments: Sequence[str]) -> None:
    """Refuse anything but the one command SageMaker calls the container with."""
    if list(arguments) != [sagemaker.SERVE_COMMAND]:
        raise ServerSettingsError(
            f"expected the one argument {sagemaker.SERVE_COMMAND!r}, found {' '.join(arguments)!r}; "
            f"run the container as `docker run IMAGE {sagemaker.SERVE_COMMAND}`"
        )


def configure(app: Any, settings: ServerSettings, **options: Any) -> uvicorn.Config:
    """How every endpoint is served."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
        **options,
    )


class Worker(multiprocess.Process):
    """A worker process whose end the supervisor sees while it waits for a sign of life."""

    def start(self) -> None:
        """Start it, and leave it the only holder of its end of the connection: that closes when it ends."""
        super().start()
        self.child_conn.close()


class Supervisor(Multiprocess):
    """uvicorn's, which by itself starts workers again for ever where each of them crashes on the model."""

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config, sockets=[config.bind_socket()])
        self._board = board
        self._has_crashed = False

    @property
    def exit_code(self) -> int:
        """The container's, once all workers have ended."""
        if any(process.exitcode == MODEL_REFUSED_EXIT for process in self.processes):
            return MODEL_REFUSED_EXIT
        return sagemaker.INTERNAL_ERROR_EXIT if self._has_crashed else 0

    def keep_subprocess_alive(self) -> None:
        """Start workers again that have ended, unless one did without the model and no other has it."""
        ended = {process for process in self.processes if process.exitcode not in (None, MODEL_REFUSED_EXIT)}
        ready = {process for process in self.processes if self._board.is_ready(process.pid)}
        if ended - ready and not ready - ended and not self.should_exit.is_set():
            log_event("worker_ended_while_loading", exit_codes=[process.exitcode for process in ended - ready])
            self._has_crashed = True
            self.should_exit.set()
        super().keep_subprocess_alive()


def serve(config: uvicorn.Config, board: Board) -> int:
    """Serve until a signal comes, or until a worker ends without a model, and return the exit code."""
    # uvicorn stops first and then raises the signal again, for the handler before it. An ordinary exit would
    # wait for a prediction that has no end.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if config.workers == 1:
        uvicorn.Server(config).run()
        return 0
    # uvicorn names this class itself wherever it starts a worker.
    multiprocess.Process = Worker  # type: ignore[misc]
    supervisor = Supervisor(config, board)
    supervisor.run()
    return supervisor.exit_code
