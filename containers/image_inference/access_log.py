"""One log line per request."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from containers.shared.server_events import log_event


class AccessLog:
    """Writes one line per request, with what its handler left in the request's state as `outcome`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            log_event(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                **scope.get("state", {}).get("outcome", {}),
                milliseconds=round((time.perf_counter() - start) * 1000, 3),
            )
