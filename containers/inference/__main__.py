"""The program's entry: `python -m inference serve`."""

import signal
import sys
from collections.abc import Sequence

import uvicorn

from . import contract
from .settings import SettingsError, read_settings

# SageMaker kills a container 30 seconds after asking it to stop, and answers take at most a few.
SHUTDOWN_SECONDS = 10
# Longer than the pauses between SageMaker's health checks, so that they reuse a connection.
KEEP_ALIVE_SECONDS = 75
# A worker that loads a large model is silent for a while.
WORKER_SILENCE_SECONDS = 60


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, and return the exit code."""
    try:
        if list(arguments) != [contract.SERVE_COMMAND]:
            raise SettingsError(
                f"expected the one argument {contract.SERVE_COMMAND!r}, found {' '.join(arguments)!r}; "
                f"run the container as `docker run IMAGE {contract.SERVE_COMMAND}`"
            )
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return contract.USER_ERROR_EXIT
    # uvicorn stops first and then raises the signal again, for whoever was handling it before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        f"{__package__}.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http=f"{__package__}.connections:PatientProtocol",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="error",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
