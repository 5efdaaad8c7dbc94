"""The address where the owner of a local cloud says what is to go wrong: one of the engine, behind the door."""

import json
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.local.engine.door import Application, Message, Receive, Send
from headrace.local.faults import PATH, Faults, describe_fault, read_fault

_MOST_BYTES: Final = 1 << 16


class FaultRequests:
    """Serves requests about faults, and hands all others on.

    Args:
        services: What serves the others.
        faults: Those of the cloud.
    """

    def __init__(self, services: Application, faults: Faults) -> None:
        self._services = services
        self._faults = faults

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection of an ASGI server."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._services(scope, receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body", False) or len(body) > _MOST_BYTES:
                break
        status, answer = self._answer(scope["method"], body)
        content = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, method: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return 200, {"faults": [describe_fault(fault) for fault in self._faults.list()]}
        if method == "DELETE":
            return 200, {"cleared": self._faults.clear()}
        if method != "POST":
            return 405, {"message": f"{method} is not served here"}
        try:
            fault = read_fault(json.loads(body))
        except (HeadraceError, ValueError, AttributeError) as error:
            return 400, {"message": str(error)}
        self._faults.add(fault)
        return 200, {"fault": describe_fault(fault)}
