"""A server that answers what a test has written down, whatever it is asked, and counts what comes."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from lambdas.image_normalizer.connections import Connections

_STOP = b"STOP\n"


class Step(NamedTuple):
    """What happens after a request: these bytes, and then the connection is closed or stays open."""

    content: bytes
    closes: bool = False


HANG_UP = Step(b"", closes=True)
STAY_SILENT = Step(b"")


def answer(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> Step:
    """A whole answer; a length that is not the body's makes it one that is not."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body) if length is None else length}", *headers]
    return Step("\r\n".join([*lines, "", ""]).encode() + body, closes=length is not None)


@dataclass
class ScriptedServer:
    """What has come.

    Args:
        url: Where to ask.
        requests: All requests, as they were sent.
        opened: How many connections there have been.
    """

    url: str
    requests: list[bytes] = field(default_factory=list)
    opened: int = 0


@contextmanager
def play(*steps: Step) -> Iterator[tuple[ScriptedServer, Connections]]:
    """Serve the steps, one for each request; no connection is taken before the one before is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        server = ScriptedServer(f"http://127.0.0.1:{address[1]}/key")
        thread = threading.Thread(target=_serve, args=(listening, server, list(steps)))
        thread.start()
        try:
            with closing(Connections(pause=lambda: None)) as connections:
                yield server, connections
        finally:
            with socket.create_connection(address) as last:
                last.sendall(_STOP)
            thread.join()


def _serve(listening: socket.socket, server: ScriptedServer, steps: list[Step]) -> None:
    is_over = False
    while not is_over:
        connection, _ = listening.accept()
        # A client that has read enough hangs up.
        with connection, suppress(ConnectionError):
            server.opened += 1
            is_over = _talk(connection, server, steps)


def _talk(connection: socket.socket, server: ScriptedServer, steps: list[Step]) -> bool:
    """Whether that was the last connection."""
    with connection.makefile("rb") as incoming:
        while (request := _read_request(incoming)) not in (b"", _STOP):
            server.requests.append(request)
            step = steps.pop(0)
            connection.sendall(step.content)
            if step.closes:
                return False
    return request == _STOP


def _read_request(incoming: BinaryIO) -> bytes:
    """A request, or nothing where the client has closed the connection."""
    head = b""
    while line := incoming.readline():
        head += line
        if line in (b"\r\n", _STOP):
            break
    length = re.search(rb"(?i)content-length: ([0-9]+)", head)
    return head + incoming.read(int(length[1]) if length else 0)
