"""Servers of this machine's own: a port for one, and whether the container behind it is healthy."""

import errno
import http.client
import random
import socket
from contextlib import suppress
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Systems give the higher ones to outgoing connections.
LASTING_PORTS: Final = range(20_000, 32_768)


def find_free_port() -> int:
    """A loopback port that was free a moment ago, and that no outgoing connection takes in the next one."""
    for port in random.sample(LASTING_PORTS, len(LASTING_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise OSError(errno.EADDRINUSE, f"no port from {LASTING_PORTS[0]} to {LASTING_PORTS[-1]} is free")


def is_healthy(port: int, timeout_seconds: float) -> bool:
    """Whether a container answers its health check."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
