"""Where the owner of a local cloud commands the engine itself: behind the door, which lets the owner in."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.local.engine.door import Application, Message, Receive, Send
from headrace.local.engine.moving import Mover
from headrace.local.faults import Faults, describe_fault, read_fault
from headrace.local.usage import Usage

_MOST_BYTES: Final = 1 << 16

Answer = tuple[int, dict[str, Any]]


class OwnerRequests:
    """Serves the requests to some addresses, and hands all others on.

    Args:
        services: What serves the others.
        answers: What answers to a method and a body, by its address.
    """

    def __init__(self, services: Application, answers: Mapping[str, Callable[[str, bytes], Answer]]) -> None:
        self._services = services
        self._answers = answers

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection of an ASGI server."""
        if scope["type"] != "http" or scope["path"] not in self._answers:
            await self._services(scope, receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body", False) or len(body) > _MOST_BYTES:
                break
        status, answer = await asyncio.to_thread(self._answers[scope["path"]], scope["method"], body)
        content = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def answer_about_faults(faults: Faults) -> Callable[[str, bytes], Answer]:
    """Lists, adds and clears what goes wrong on purpose."""

    def answer(method: str, body: bytes) -> Answer:
        if method == "GET":
            return 200, {"faults": [describe_fault(fault) for fault in faults.list()]}
        if method == "DELETE":
            return 200, {"cleared": faults.clear()}
        if method != "POST":
            return _refuse_method(method)
        try:
            fault = read_fault(json.loads(body))
        except (HeadraceError, ValueError, AttributeError) as error:
            return 400, {"message": str(error)}
        faults.add(fault)
        return 200, {"fault": describe_fault(fault)}

    return answer


def answer_about_clock(mover: Mover) -> Callable[[str, bytes], Answer]:
    """Shows the clock, and takes one step on the way to an instant."""

    def answer(method: str, body: bytes) -> Answer:
        if method == "GET":
            return 200, mover.show()
        if method != "POST":
            return _refuse_method(method)
        try:
            asked = json.loads(body)
            until, since = (datetime.fromisoformat(asked[name]) for name in ("until", "since"))
            return 200, mover.step(until, since)
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"message": f"the clock needs instants with their offset from UTC: {error}"}

    return answer


def answer_about_usage(usage: Usage) -> Callable[[str, bytes], Answer]:
    """Says what was used."""
    return lambda method, _: (200, usage.describe()) if method == "GET" else _refuse_method(method)


def _refuse_method(method: str) -> Answer:
    return 405, {"message": f"{method} is not served here"}
