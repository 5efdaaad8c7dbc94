"""Finding the instances of a job, which train one model together."""

import socket
import time
from collections.abc import Mapping
from typing import Final

from containers.shared.job.training_job import Job

HOSTS_VARIABLE: Final = "HEADRACE_HOSTS"
# For the slowest instance to start and to read its data.
MEETING_SECONDS: Final = 1200
_PAUSE_SECONDS: Final = 0.1


def find_address(host: str, addresses: Mapping[str, str]) -> str:
    """The address of a host; its name may take a moment to be known."""
    if host in addresses:
        return addresses[host]
    deadline = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            return socket.gethostbyname(host)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def read_addresses(text: str) -> dict[str, str]:
    """The addresses of hosts in the variable that has them, such as `algo-1=127.81.4.1,algo-2=127.81.4.2`."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {host: address for host, _, address in pairs}


def await_listening(address: str, port: int) -> None:
    """Wait without a word until somebody listens; engines would try less and less often, and log each time."""
    deadline = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=MEETING_SECONDS).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def describe_parting(job: Job, said: str) -> str:
    """Why an instance cannot go on, with what it can know.

    Args:
        job: What SageMaker says of the job.
        said: Who says what about it here.
    """
    others = ", ".join(host for host in job.hosts if host != job.host)
    return (
        f"{job.host} cannot train together with {others}: one of them ended, or did not answer in time. Its own log "
        f"stream says why; here {said}"
    )
