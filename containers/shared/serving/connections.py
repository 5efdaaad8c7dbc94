"""HTTP connections that give each request a fixed time to arrive, and answer callers that closed their half."""

import asyncio
import json
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from containers.shared.serving.events import log_event
from containers.shared.serving.metrics import METRICS_STATE

# SageMaker gives an answer 60 seconds in all; what is left of them is for waiting and computing.
ARRIVAL_SECONDS = 20
# A caller who does not take an answer holds its memory.
DEPARTURE_SECONDS = 20
# To close at once what still sends would take the refusal from the caller, who sees a reset connection instead.
LINGER_SECONDS = 2
MAX_HEADER_BYTES = 64 * 1024
# Of one worker; each may hold headers, and a file descriptor.
MOST_CONNECTIONS = 900
# Of a header line: the colon, the blank and the line's end.
HEADER_LINE_BYTES = 4
MALFORMED = "the request is not valid HTTP/1.1"


class HeadersTooLongError(Exception):
    """Headers beyond the bound, on the way out of the parser."""


class TunnelError(Exception):
    """A request to become a tunnel, on the way out of the parser."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which by itself waits for ever for a request that was begun."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._departure: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._unparsed_bytes = 0
        self._in_headers = False
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(503, "the endpoint has too many connections; try again")
        else:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._end_deadline()
        self._end_departure()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on, as long as they are not headers without an end."""
        if self._is_refused:
            return
        if self._deadline is None and self._is_idle():
            self._start_deadline()
        message = self.scope
        self._unset_keepalive_if_required()
        self._feed(data)
        # The parser reports a header when it is whole; one that never is counts by what has arrived.
        self._unparsed_bytes = self._unparsed_bytes + len(data) if self._in_headers and self.scope is message else 0
        if self._unparsed_bytes > MAX_HEADER_BYTES:
            self._refuse_headers()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keep the way back open for the answers that are due."""
        if self._deadline is not None and not self._is_untouched():
            self._refuse(400, "the request ended before it was complete")
        if self._is_refused or self._is_idle():
            return None
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """Start the request's time, also of one that came together with another."""
        super().on_message_begin()
        self._in_headers = True
        self._header_bytes = 0
        if self._deadline is None:
            self._start_deadline()

    def on_url(self, url: bytes) -> None:
        """Count the address among the headers."""
        self._count_header(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer after a body in chunks."""
        self._count_header(len(name) + len(value) + HEADER_LINE_BYTES)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for no further headers."""
        self._in_headers = False
        # The parser would stop after it, whatever it reads again.
        if self.parser.get_method() == b"CONNECT":
            raise TunnelError
        if not self._wishes_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here; the rest is up to us."""
        if self._wishes_upgrade():
            return
        self._end_deadline()
        refused_early = self.cycle.response_complete
        super().on_message_complete()
        if refused_early:
            # uvicorn's timer for idle connections ended with the first byte after the answer.
            self._start_deadline()

    def pause_writing(self) -> None:
        """Give the caller a fixed time to take what was written."""
        super().pause_writing()
        self._departure = self.loop.call_later(DEPARTURE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller took it."""
        self._end_departure()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words say no more
        """Refuse a malformed request in the form of all refusals."""
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse_headers()
        else:
            self._refuse(400, MALFORMED)

    def _feed(self, data: bytes) -> None:
        """Parse the bytes; wishes for another protocol are ignored, as HTTP allows, and what follows them is not."""
        try:
            while data:
                try:
                    self.parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    data = self._restart_parser(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response(MALFORMED)

    def _wishes_upgrade(self) -> bool:
        return bool(self.parser.should_upgrade()) and any(name == b"upgrade" for name, _ in self.headers)

    def _restart_parser(self, rest: bytes) -> bytes:
        """The request again without its wish and with what follows; the parser would take its body for that."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        head = b"\r\n".join([b"%s %s HTTP/%s" % (method, self.url, version), *lines, b"", b""])
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return head + rest

    def _count_header(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > MAX_HEADER_BYTES:
            raise HeadersTooLongError

    def _refuse_headers(self) -> None:
        self._refuse(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_untouched(self) -> bool:
        return self._is_idle() and not self._in_headers

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(ARRIVAL_SECONDS, self._refuse_late)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_departure(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None

    def _refuse_late(self) -> None:
        if self._is_untouched():
            self.transport.close()
        else:
            self._refuse(408, f"the request did not arrive within {ARRIVAL_SECONDS} seconds")

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, unless an answer has begun, and close; the application hears of a disconnect."""
        self._end_deadline()
        if self._is_refused or self.transport.is_closing():
            return
        if not self._is_idle() and self.cycle.response_started:
            self.transport.close()
            return
        content = json.dumps({"error": reason}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + content)
        log_event("connection_refused", status=status, error=reason)
        if METRICS_STATE in self.app_state:
            self.app_state[METRICS_STATE].note_refused_connection(status)
        self._linger()

    def _linger(self) -> None:
        """Say no more, and hear the caller out for a moment without listening."""
        self._is_refused = True
        if not self._is_idle():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)
