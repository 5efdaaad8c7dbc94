"""HTTP over connections that stay open from one request to the next.

Made of the standard library's client: importing urllib3 takes as long as importing everything else here
(docs/decisions/0008-the-function-signs-for-itself.md).
"""

import random
import select
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

# Every waiting caller gets an answer: a request is answered or given up after 23 of the 30 s that a function has.
CONNECT_SECONDS: Final = 1
READ_SECONDS: Final = 4
TOTAL_SECONDS: Final = 8
ATTEMPTS: Final = 2
_LONGEST_PAUSE_SECONDS: Final = 0.5
_MOST_CONNECTIONS: Final = 8
_PIECE_BYTES: Final = 64 * 1024
# https://www.rfc-editor.org/rfc/rfc3986#section-2, beside letters and digits
_ADDRESS_CHARACTERS: Final = "%:/?#[]@!$&'()*+,;=-._~"

# What a server could not do at the moment; with the last one, S3 also says that it is asked too fast.
_TEMPORARY: Final = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.GATEWAY_TIMEOUT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
_FAILURES: Final = (OSError, HTTPException)


class NoAnswerError(Exception):
    """A server that does not answer, not to the end, or not in time."""


class CutOffError(NoAnswerError):
    """A server that stopped within its answer."""


class Request(NamedTuple):
    """What a server is asked; asking it twice must do no harm."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def server(self) -> str:
        """The scheme, the host and the port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def target(self) -> str:
        """The path and the query; only what no address may have in it is encoded."""
        parts = urlsplit(self.url)
        path = parts.path or "/"
        return quote(f"{path}?{parts.query}" if parts.query else path, safe=_ADDRESS_CHARACTERS)


class Answer:
    """What a server has answered: status and headers are there, the body is read when it is needed."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers
        self.declared_bytes = response.length

    def stream(self) -> Iterator[bytes]:
        """The body, piece by piece.

        Raises:
            NoAnswerError: If it ends too early or comes too slowly.
        """
        end = time.monotonic() + TOTAL_SECONDS
        with _translate_failures():
            while piece := self._response.read1(_PIECE_BYTES):
                yield piece
                if time.monotonic() > end:
                    raise TimeoutError
            # What ends where its connection ends may have been cut off.
            if not (self._response.chunked or self._response.length == 0):
                raise IncompleteRead(b"")

    def read(self) -> bytes:
        """The whole body.

        Raises:
            NoAnswerError: As for `stream`.
        """
        return b"".join(self.stream())


def _pause() -> None:
    time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311


class Connections:
    """Keeps a connection to each server for the next request; not for several threads.

    Args:
        pause: Waits before a server is asked again.
    """

    def __init__(self, pause: Callable[[], None] = _pause) -> None:
        self._pause = pause
        self._kept: dict[str, HTTPConnection] = {}

    @contextmanager
    def ask(self, request: Request) -> Iterator[Answer]:
        """The answer to a request, which is asked once more where that may help; redirects are not followed.

        Raises:
            NoAnswerError: If there is none.
        """
        connection, response = self._ask(request)
        try:
            yield Answer(response)
        finally:
            is_read = response.isclosed() or response.length == 0
            response.close()
            # Bytes left unread would be taken for the next answer on this connection.
            if is_read and connection.sock:
                self._keep(request.server, connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._kept:
            self._kept.popitem()[1].close()

    def _ask(self, request: Request) -> tuple[HTTPConnection, HTTPResponse]:
        for _ in range(ATTEMPTS - 1):
            with suppress(*_FAILURES):
                connection, response = self._ask_once(request)
                if response.status not in _TEMPORARY:
                    return connection, response
                response.close()
                connection.close()
            self._pause()
        with _translate_failures():
            return self._ask_once(request)

    def _ask_once(self, request: Request) -> tuple[HTTPConnection, HTTPResponse]:
        connection = self._find(request.server) or _connect(request.server)
        try:
            connection.request(request.method, request.target, request.body or None, dict(request.headers))
            return connection, connection.getresponse()
        except Exception:
            connection.close()
            raise

    def _find(self, server: str) -> HTTPConnection | None:
        connection = self._kept.pop(server, None)
        if connection and _is_over(connection):
            connection.close()
            return None
        return connection

    def _keep(self, server: str, connection: HTTPConnection) -> None:
        # A request within another to the same server has come back first.
        if server in self._kept:
            connection.close()
            return
        self._kept[server] = connection
        if len(self._kept) > _MOST_CONNECTIONS:
            self._kept.pop(next(iter(self._kept))).close()


def _connect(server: str) -> HTTPConnection:
    scheme, _, host = server.partition("://")
    connection = (
        HTTPSConnection(host, timeout=CONNECT_SECONDS, context=_load_authorities())
        if scheme == "https"
        else HTTPConnection(host, timeout=CONNECT_SECONDS)
    )
    connection.connect()
    connection.sock.settimeout(READ_SECONDS)
    return connection


@cache
def _load_authorities() -> ssl.SSLContext:
    """Whom this machine trusts; loaded once, because it takes longer than many a request."""
    return ssl.create_default_context()


def _is_over(connection: HTTPConnection) -> bool:
    """Whether the server has closed a connection that was idle: its end is all that there can be to read."""
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


@contextmanager
def _translate_failures() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise NoAnswerError(type(error).__name__) from error
    except _FAILURES as error:
        raise CutOffError(type(error).__name__) from error
