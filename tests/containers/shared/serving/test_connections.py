import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from containers.shared.serving import connections
from containers.shared.serving.connections import PatientProtocol
from tests.containers.logs import read_log
from tests.patience import PATIENCE_SECONDS

# More than the sockets between two programs hold.
LARGE = 64 * 1024 * 1024
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body's length after a turn of the loop, or at once with 413 where the body is refused unread."""
    length, message = 0, {"more_body": scope["path"] != "/refused"}
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
    await asyncio.sleep(0)
    content = bytes(LARGE) if scope["path"] == "/huge" else str(length).encode()
    head = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 413 if scope["path"] == "/refused" else 200, "headers": head})
    await send({"type": "http.response.body", "body": content})


async def serve_and_talk(talk: Talk, protocol: type[PatientProtocol] = PatientProtocol) -> bytes:
    config = Config(echo, ws="none", lifespan="off", log_level="error", timeout_keep_alive=connections.ARRIVAL_SECONDS)
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await asyncio.wait_for(talk(reader, writer), PATIENCE_SECONDS)
        finally:
            writer.close()
            await writer.wait_closed()
            while state.connections:
                await asyncio.sleep(0.001)


def ask(*parts: bytes, half_close: bool = False) -> bytes:
    """All that comes back until the server closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if half_close:
            writer.write_eof()
        return await reader.read()

    return asyncio.run(serve_and_talk(talk))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ARRIVAL_SECONDS", 0.05)


def test_answers_a_caller_who_closed_its_half() -> None:
    answer = ask(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", half_close=True)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n3")


def test_answers_all_of_a_pipeline_that_was_closed() -> None:
    answer = ask(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", half_close=True)

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2


@pytest.mark.parametrize("begun", [b"GET /", b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\na"])
def test_refuses_a_request_that_ends_early(begun: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(begun, half_close=True)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"error": "the request ended before it was complete"}')
    assert read_log(capsys) == [
        {"event": "connection_refused", "status": 400, "error": "the request ended before it was complete"}
    ]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begun", [b"GET /", b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\na"])
def test_refuses_a_request_that_does_not_arrive_in_time(begun: bytes) -> None:
    assert ask(begun).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("silence", [b"", b"\r\n"])
def test_closes_a_connection_that_never_asks(silence: bytes) -> None:
    assert ask(silence) == b""


@pytest.mark.usefixtures("impatient")
def test_closes_a_connection_whose_refused_body_never_ends() -> None:
    answer = ask(b"POST /refused HTTP/1.1\r\ncontent-length: 99\r\n\r\n", b"a")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.usefixtures("impatient")
def test_closes_a_connection_that_is_idle_after_a_refused_body() -> None:
    assert ask(b"POST /refused HTTP/1.1\r\ncontent-length: 1\r\n\r\n", b"a").startswith(b"HTTP/1.1 413 ")


def test_refuses_what_is_not_http() -> None:
    answer = ask(b"\x16\x03\x01 hello\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"error": "the request is not valid HTTP/1.1"}')


def test_refuses_headers_without_an_end() -> None:
    assert ask(b"GET / HTTP/1.1\r\nx: ", b"x" * 1_000_000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"x: 1\r\n" * 20_000 + b"\r\n",
    ],
    ids=["one long header", "many headers", "a long address", "trailers"],
)
def test_refuses_headers_that_are_too_long_though_they_end(request_bytes: bytes) -> None:
    answer = ask(request_bytes)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.endswith(b'{"error": "the headers are longer than 65536 bytes"}')


def test_counts_the_headers_of_each_request_of_a_connection_alone() -> None:
    request = b"GET / HTTP/1.1\r\nx: " + b"x" * 60_000 + b"\r\n\r\n"

    answer = ask(request * 3 + request[:30_000], request[30_000:], half_close=True)

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 4


WISH = b"connection: upgrade, close\r\nupgrade: h2c\r\n"


@pytest.mark.parametrize(
    "body", [b"content-length: 3\r\n\r\nabc", b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
def test_reads_the_body_of_a_request_that_wishes_for_another_protocol(body: bytes) -> None:
    assert ask(b"POST / HTTP/1.1\r\n" + WISH + body).endswith(b"\r\n\r\n3")


def test_answers_what_follows_wishes_for_another_protocol() -> None:
    wishing = b"GET / HTTP/1.1\r\n" + WISH.replace(b", close", b"") + b"\r\n"

    answer = ask(wishing * 1000, b"GET / HTTP/1.1\r\n\r\n", half_close=True)

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 1001


@pytest.mark.parametrize("target", [b"elsewhere:443", b"/", b"/invocations", b"http://elsewhere/", b"*"])
@pytest.mark.parametrize("wish", [b"", b"connection: upgrade\r\nupgrade: h2c\r\n", b"content-length: 1\r\n"])
def test_refuses_to_be_a_tunnel(target: bytes, wish: bytes) -> None:
    assert ask(b"CONNECT " + target + b" HTTP/1.1\r\n" + wish + b"\r\n").startswith(b"HTTP/1.1 400 ")


def test_hears_a_refused_caller_out_so_that_the_refusal_arrives() -> None:
    answer = ask(b"nonsense\r\n\r\n", *[b"x" * 1_000_000] * 5)

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.usefixtures("impatient")
def test_drops_a_caller_who_does_not_take_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "DEPARTURE_SECONDS", 0.05)

    async def ask_and_read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET /huge HTTP/1.1\r\n\r\n")
        while not ended:
            await asyncio.sleep(0.01)
        return b""

    ended: list[str] = []

    class Watched(PatientProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            ended.append("lost")
            super().connection_lost(exc)

    asyncio.run(serve_and_talk(ask_and_read_nothing, Watched))

    assert ended == ["lost"]


def test_refuses_connections_beyond_the_most(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 0)

    answer = ask(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc")

    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert answer.endswith(b'{"error": "the endpoint has too many connections; try again"}')
    assert [line["event"] for line in read_log(capsys)] == ["connection_refused"]
