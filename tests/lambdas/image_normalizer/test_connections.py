"""Requests are answered, asked again where that helps, or given up in time; connections last as long as they can."""

import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest

from lambdas.image_normalizer import connections as module
from lambdas.image_normalizer.connections import Connections, NoAnswerError, Request

from .fake_s3 import serve
from .scripted_server import HANG_UP, STAY_SILENT, ScriptedServer, Step, answer, play

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TLS_HANDSHAKE = b"\x16\x03"


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections(pause=lambda: None)) as connections:
        yield connections


def ask(server: ScriptedServer, connections: Connections, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    with connections.ask(Request(method, server.url, {}, body)) as answered:
        return answered.status, answered.read()


def wait_for_end(connections: Connections) -> None:
    """Until the server's end of the only connection has arrived."""
    (kept,) = connections._kept.values()
    assert select.select([kept.sock], [], [], 10)[0]


def test_reads_an_answer() -> None:
    with (
        play(answer(200, b"normalized", 'ETag: "a"')) as (server, connections),
        connections.ask(Request("GET", server.url, {})) as answered,
    ):
        assert (answered.status, answered.headers["etag"], answered.declared_bytes) == (200, '"a"', 10)
        assert answered.read() == b"normalized"


def test_sends_headers_and_a_body() -> None:
    with play(answer(200)) as (server, connections), connections.ask(Request("PUT", server.url, {"a": "b"}, b"body")):
        (request,) = server.requests

    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b"body"
    assert head.splitlines()[0] == b"PUT /key HTTP/1.1"
    assert {b"Content-Length: 4", b"a: b"} < set(head.splitlines())


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/a%20b+%2F//~x/../y?b=%3D&a=1;2", "/a%20b+%2F//~x/../y?b=%3D&a=1;2"),
        ("/a b\u00e4?c=d e", "/a%20b%C3%A4?c=d%20e"),
        ("?a=b", "/?a=b"),
        ("", "/"),
    ],
)
def test_sends_addresses_as_they_are_but_for_what_no_address_may_have(target: str, sent: str) -> None:
    with play(answer(200)) as (server, connections):
        with connections.ask(Request("GET", server.url.removesuffix("/key") + target, {})):
            pass

        assert server.requests[0].startswith(f"GET {sent} HTTP/1.1".encode())


def test_asks_one_thing_after_another_over_one_connection() -> None:
    with play(answer(200, b"a"), answer(404, b"b"), answer(200, b"c")) as (server, connections):
        answers = [ask(server, connections) for _ in range(3)]

        assert answers == [(200, b"a"), (404, b"b"), (200, b"c")]
        assert server.opened == 1


@pytest.mark.parametrize("first", [answer(200, b"a")._replace(closes=True), answer(200, b"a", "Connection: close")])
def test_opens_another_connection_when_the_server_has_closed_one(first: Step) -> None:
    with play(first, answer(200, b"b")) as (server, connections):
        assert ask(server, connections) == (200, b"a")
        assert ask(server, connections) == (200, b"b")
        assert (server.opened, len(server.requests)) == (2, 2)


def test_asks_nothing_on_a_connection_that_it_can_see_is_closed() -> None:
    with (
        play(answer(200, b"a")._replace(closes=True), answer(200, b"b")) as (server, _),
        closing(Connections(pause=lambda: pytest.fail("the closed connection was used"))) as connections,
    ):
        ask(server, connections)
        wait_for_end(connections)

        assert ask(server, connections) == (200, b"b")


def test_waits_longer_for_an_answer_than_for_a_connection() -> None:
    with play(answer(200)) as (server, connections):
        ask(server, connections)

        (kept,) = connections._kept.values()
        assert (kept.timeout, kept.sock.gettimeout()) == (module.CONNECT_SECONDS, module.READ_SECONDS)


@pytest.mark.parametrize("body", [b"", b"a" * 1_000_000])
def test_never_takes_unread_bytes_for_the_next_answer(body: bytes) -> None:
    unread = answer(200, body, length=1_000_000)._replace(closes=False)
    with play(unread, answer(200, b"b")) as (server, connections):
        with connections.ask(Request("GET", server.url, {})):
            pass

        assert ask(server, connections) == (200, b"b")
        assert server.opened == 2


def test_asks_one_thing_within_another() -> None:
    with serve({"a": b"1", "b": b"2"}) as bucket, bucket.client.get_object("raw", "a") as outer:
        with bucket.client.get_object("raw", "b") as inner:
            assert inner.read() == b"2"
        assert outer.read() == b"1"


def test_keeps_one_connection_to_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_CONNECTIONS", 1)
    with play(answer(200, b"a"), answer(200, b"b")) as (server, connections), play(answer(200)) as (other, _):
        ask(server, connections)
        ask(other, connections)
        ask(server, connections)

        assert (server.opened, other.opened) == (2, 1)


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1", b"?\r\n"])
def test_asks_again_when_there_was_no_answer(cut: bytes) -> None:
    with play(Step(cut, closes=True), answer(200, b"a")) as (server, connections):
        assert ask(server, connections, "PUT", b"body") == (200, b"a")
        assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_asks_again_what_could_not_be_done_at_the_moment(status: int) -> None:
    with play(answer(status, b"later"), answer(200, b"a")) as (server, connections):
        assert ask(server, connections) == (200, b"a")


@pytest.mark.parametrize("status", [200, 301, 307, 400, 403, 404, 412, 429, 501])
def test_asks_once_what_is_answered(status: int) -> None:
    with play(answer(status, b"a", "Location: /elsewhere")) as (server, connections):
        assert ask(server, connections) == (status, b"a")
        assert len(server.requests) == 1


def test_waits_before_it_asks_again() -> None:
    pauses: list[int] = []
    with (
        play(answer(503), answer(503, b"later")) as (server, _),
        closing(Connections(pause=lambda: pauses.append(len(server.requests)))) as connections,
    ):
        assert ask(server, connections) == (503, b"later")

    assert pauses == [1]


def test_gives_up_when_nobody_answers() -> None:
    with play(HANG_UP, HANG_UP) as (server, connections):
        with pytest.raises(NoAnswerError, match="RemoteDisconnected"):
            ask(server, connections)

        assert len(server.requests) == 2


def test_gives_up_when_nobody_is_there(connections: Connections) -> None:
    with pytest.raises(NoAnswerError, match="ConnectionRefusedError"):
        ask(ScriptedServer("http://127.0.0.1:1/"), connections)


def test_gives_up_when_the_answer_does_not_come_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.05)

    with play(STAY_SILENT, STAY_SILENT) as (server, connections), pytest.raises(NoAnswerError, match="TimeoutError"):
        ask(server, connections)


def test_gives_up_when_the_body_stops_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.05)
    stuck = Step(answer(200, b"ab", length=3).content)

    with play(stuck) as (server, connections), pytest.raises(NoAnswerError, match="TimeoutError"):
        ask(server, connections)


def test_gives_up_a_body_that_only_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 60)
    monkeypatch.setattr(module, "TOTAL_SECONDS", -1)
    dripping = Step(answer(200, b"a", length=1_000_000).content)

    with play(dripping) as (server, connections), pytest.raises(NoAnswerError, match="TimeoutError"):
        ask(server, connections)


@pytest.mark.parametrize(
    "cut",
    [
        answer(200, b"abc", length=4),
        answer(200, b"", length=4),
        Step(CHUNKED + b"4\r\nabc", closes=True),
        Step(b"HTTP/1.1 200 OK\r\nContent-Len", closes=True),
    ],
)
def test_refuses_a_body_that_ends_too_early(cut: Step) -> None:
    with play(cut) as (server, connections), pytest.raises(NoAnswerError, match="IncompleteRead"):
        ask(server, connections)


def test_reads_a_body_in_chunks_and_goes_on() -> None:
    chunked = Step(CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")

    with play(chunked, answer(200, b"d")) as (server, connections):
        assert ask(server, connections) == (200, b"abc")
        assert ask(server, connections) == (200, b"d")
        assert server.opened == 1


def test_goes_on_after_an_answer_to_head() -> None:
    told = Step(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")

    with play(told, answer(200, b"a")) as (server, connections):
        assert ask(server, connections, "HEAD") == (200, b"")
        assert ask(server, connections) == (200, b"a")
        assert server.opened == 1


def test_speaks_tls_where_it_is_told_to(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"

        with pytest.raises(NoAnswerError), connections.ask(Request("GET", url, {})):
            pass

        connection, _ = server.accept()
        with connection:
            assert connection.recv(2) == TLS_HANDSHAKE


def test_believes_no_server_that_nobody_vouches_for() -> None:
    trust = module._load_authorities()

    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
