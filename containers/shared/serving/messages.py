"""Requests and answers as ASGI passes them, and the one form of all refusals."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from containers.shared import sagemaker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]

JSON = "application/json"


class RequestError(Exception):
    """A request that is refused with a status and a reason."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}


class Answer(NamedTuple):
    """What goes back to the caller, and into the log."""

    status: int
    content: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = {}
    # How much was answered, by the name that the log has for it.
    amounts: Mapping[str, int] = {}
    error: str = ""


def number_lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    r"""The lines of a body that are not blank, each with its number, which counts blank ones too.

    Example:
        >>> list(number_lines(b"a\n\nb"))
        [(1, b'a'), (3, b'b')]
    """
    return ((number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip())


def check_method(method: str, *allowed: str) -> None:
    """Refuse a method that the path does not have."""
    if method not in allowed:
        names = ", ".join(allowed)
        raise RequestError(405, f"method {method} is not allowed here; allowed are {names}", {"allow": names})


def check_content_encoding(encoding: bytes) -> None:
    """Refuse a compressed body; SageMaker passes none on, and to expand one would undo the bound on bodies."""
    if encoding.strip().lower() not in (b"", b"identity"):
        name = encoding.decode("latin-1")
        raise RequestError(
            415, f"cannot read content encoding {name!r}; send the body as it is", {"accept-encoding": "identity"}
        )


async def read_body(headers: Headers, receive: Receive, *, advice: str) -> bytes:
    """The body, refused with the advice as soon as it is known to be too large."""
    body = bytearray()
    declared = int(headers.get(b"content-length", 0))
    more = declared <= sagemaker.MAX_BODY_BYTES
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the caller has disconnected")
        body += message.get("body", b"")
        if len(body) > sagemaker.MAX_BODY_BYTES:
            break
        more = message.get("more_body", False)
    if more or declared > sagemaker.MAX_BODY_BYTES:
        raise RequestError(413, f"the body is larger than {sagemaker.MAX_BODY_BYTES} bytes; {advice}")
    return bytes(body)


def refuse(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal in the form of all refusals."""
    return Answer(status, json.dumps({"error": reason}).encode(), headers=headers or {}, error=reason)


async def send_answer(send: Send, answer: Answer) -> None:
    """Write the answer's head and content."""
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(answer.content)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
