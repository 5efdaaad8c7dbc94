"""Both serving programs among callers who misbehave: what they do with a connection is one mechanism."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from containers.big_mart.inference.service import SERVICE as FOREST
from containers.images.inference.service import SERVICE as IMAGES
from containers.shared.serving import connections
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.server import configure
from containers.shared.serving.service import Service
from containers.shared.serving.settings import ServerSettings
from containers.shared.serving.traffic import Traffic
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

HALF_HEADERS = b"GET /ping HTTP/1.1\r\nx: 1"
HALF_BODY = b"POST /invocations HTTP/1.1\r\ncontent-type: %s\r\ncontent-length: 5000\r\n\r\nabc"


class Server:
    """An endpoint that serves from a thread of this process."""

    def __init__(self, endpoint: Endpoint) -> None:
        settings = ServerSettings(root=endpoint.root, host="127.0.0.1", port=0, workers=1, access_log="summary")
        self.media_type = endpoint.service.reads[0].encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(configure(endpoint, settings))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()

    def ask(self, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
        """The status line, the headers and the body of all that comes back until the server closes."""
        with closing(socket.create_connection(self._listener.getsockname(), timeout=PATIENCE_SECONDS)) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        return status, dict(line.lower().split(b": ", 1) for line in lines), body

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)


@pytest.fixture(params=[FOREST, IMAGES], ids=["forest", "images"])
def server(
    request: pytest.FixtureRequest, trained: Path, image_root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Each of the endpoints, of little patience."""
    monkeypatch.setattr(connections, "ARRIVAL_SECONDS", 0.3)
    service: Service = request.param
    endpoint = Endpoint(service, trained if service is FOREST else image_root, 1, Traffic(every=False))
    endpoint.load()
    monkeypatch.setattr(endpoint, "load_or_exit", lambda: None)
    server = Server(endpoint)
    yield server
    server.stop()


def read_error(body: bytes) -> Any:
    return json.loads(body)["error"]


@pytest.mark.parametrize("begun", [HALF_HEADERS, HALF_BODY], ids=["headers", "body"])
def test_ends_a_request_that_is_half_sent(server: Server, begun: bytes) -> None:
    status, headers, body = server.ask(begun.replace(b"%s", server.media_type))

    assert status == b"HTTP/1.1 408 Request Timeout"
    assert headers[b"content-type"] == b"application/json"
    assert read_error(body) == "the request did not arrive within 0.3 seconds"


def test_ends_a_connection_on_which_nothing_is_sent(server: Server) -> None:
    assert server.ask(b"")[0] == b""


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET /elsewhere HTTP/1.1\r\n", 404),
        (b"GET /elsewhere?a=%00 HTTP/1.1\r\n", 404),
        (b"DELETE /ping HTTP/1.1\r\n", 405),
        (b"POST /metrics HTTP/1.1\r\n", 405),
        (b"POST /invocations HTTP/1.1\r\ncontent-type: %s\r\naccept: image/gif\r\n", 406),
        (b"POST /invocations HTTP/1.1\r\ncontent-type: %s\r\ncontent-length: 6291457\r\n", 413),
        (b"POST /invocations HTTP/1.1\r\ncontent-type: text/html\r\n", 415),
        (b"POST /invocations HTTP/1.1\r\ncontent-type: %s\r\ncontent-encoding: gzip\r\n", 415),
        (b"GET /ping HTTP/1.1\r\nx: " + b"x" * 70_000 + b"\r\n", 431),
    ],
    ids=[
        "malformed",
        "negative length",
        "two lengths",
        "path",
        "path with a query",
        "method",
        "method of metrics",
        "accept",
        "too large",
        "content type",
        "compressed",
        "headers",
    ],
)
def test_refuses_in_one_form(server: Server, request_bytes: bytes, expected: int) -> None:
    request_bytes = request_bytes.replace(b"%s", server.media_type).removesuffix(b"\r\n\r\n").removesuffix(b"\r\n")

    status, headers, body = server.ask(request_bytes + b"\r\nconnection: close\r\n\r\n")

    assert status.startswith(b"HTTP/1.1 %d " % expected)
    assert headers[b"content-type"] == b"application/json"
    assert isinstance(read_error(body), str)
    assert b"server" not in headers


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_ignores_the_wish_for_another_protocol(server: Server, upgrade: bytes) -> None:
    wish = b"upgrade: " + upgrade + b"\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"

    status, _, _ = server.ask(b"GET /execution-parameters HTTP/1.1\r\nconnection: upgrade, close\r\n" + wish + b"\r\n")

    assert status == b"HTTP/1.1 200 OK"


def test_shows_on_its_port_what_it_counted(server: Server) -> None:
    server.ask(b"nonsense\r\n\r\n")
    server.ask(b"GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n")

    status, headers, body = server.ask(b"GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n")

    assert status == b"HTTP/1.1 200 OK"
    assert headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
    assert b'headrace_connections_refused_total{status="400"} 1\n' in body
    assert b'headrace_requests_total{path="/ping",status="200"} 1\n' in body
