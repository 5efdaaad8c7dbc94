"""HTTP connections that give each request a fixed time to arrive, and answer callers that closed their half."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from containers.shared.server_events import log_event

# SageMaker gives an answer 60 seconds in all; what is left of them is for waiting and computing.
ARRIVAL_SECONDS = 20
MAX_HEADER_BYTES = 64 * 1024
MALFORMED = "the request is not valid HTTP/1.1"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which by itself waits for ever for a request that was begun."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._in_headers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._end_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on, as long as they are not headers without an end."""
        if self._deadline is None and self._is_idle():
            self._start_deadline()
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keep the way back open for the answers that are due."""
        if self._deadline is not None and not self._is_untouched():
            self._refuse(400, "the request ended before it was complete")
        if self._is_idle():
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

    def on_headers_complete(self) -> None:
        """Count no further."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here; the rest is up to us."""
        self._end_deadline()
        refused_early = self.cycle.response_complete
        super().on_message_complete()
        if refused_early:
            # uvicorn's timer for idle connections ended with the first byte after the answer.
            self._start_deadline()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words say no more
        """Refuse a malformed request in the form of all refusals."""
        self._refuse(400, MALFORMED)

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

    def _refuse_late(self) -> None:
        if self._is_untouched():
            self.transport.close()
        else:
            self._refuse(408, f"the request did not arrive within {ARRIVAL_SECONDS} seconds")

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, unless an answer has begun, and close; the application hears of a disconnect."""
        self._end_deadline()
        if self.transport.is_closing():
            return
        if self._is_idle() or not self.cycle.response_started:
            content = json.dumps({"error": reason}).encode()
            head = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head.encode() + content)
            log_event("connection_refused", status=status, error=reason)
        self.transport.close()
