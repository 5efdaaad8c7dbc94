"""Serving an application over HTTP until told to stop."""

import signal
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn

from containers.shared import sagemaker
from containers.shared.server_settings import ServerSettings, SettingsError

# SageMaker kills a container 30 seconds after asking it to stop, and answers take at most a few.
SHUTDOWN_SECONDS = 10
# Longer than the pauses between SageMaker's health checks, so that they reuse a connection.
KEEP_ALIVE_SECONDS = 75
# A worker that loads a large model is silent for a while.
WORKER_SILENCE_SECONDS = 60


def check_command(arguments: Sequence[str]) -> None:
    """Refuse anything but the one command SageMaker calls the container with."""
    if list(arguments) != [sagemaker.SERVE_COMMAND]:
        raise SettingsError(
            f"expected the one argument {sagemaker.SERVE_COMMAND!r}, found {' '.join(arguments)!r}; "
            f"run the container as `docker run IMAGE {sagemaker.SERVE_COMMAND}`"
        )


def serve(package: str, settings: ServerSettings, **options: Any) -> None:
    """Serve what `create_app` of the package's `app` makes, with uvicorn's options beside those that all share."""
    # uvicorn stops first and then raises the signal again, for whoever was handling it before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        f"{package}.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
        **options,
    )
