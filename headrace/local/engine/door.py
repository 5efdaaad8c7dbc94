"""The one door in front of the local cloud's services: who is not its owner, or sent by one of its keys, stays outside.

It looks at five things before any service does. The host that a request names must be this machine, or a name that
leads nowhere else: a page whose own name was made to lead here stays out. No web page may call, whatever it sends.
The request must be signed, as on AWS, with a key that this cloud gave out. It must ask for one operation, in the form
that AWS's clients give it, so that what is decided is what is served. And nothing leaves that would let a page of
another origin read an answer.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

from headrace.local.engine.operations import UncertainRequestError, read_operation
from headrace.local.engine.refusals import (
    HttpAnswer,
    find_service,
    find_wire_format,
    refuse_operation,
    refuse_signature,
    write_error,
)
from headrace.local.engine.signatures import (
    FindKey,
    SentRequest,
    SignatureError,
    authenticate,
    is_presigned_for_s3,
    name_key,
)
from headrace.local.page.tokens import PATH as PAGE_PATH

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEALTH_PATH: Final = "/_ministack/health"
# CloudFormation hands these addresses out; what is random in them stands for the signature that they have on AWS.
_CAPABILITIES: Final = re.compile(r"/_ministack/cfn-(?:response|signal)/[0-9a-f-]{32,36}")
# Where the engine itself listens, on every host; a bucket in the host makes keys of S3 of the same paths.
_ENGINE_PATHS: Final = ("/_ministack/", "/_aws/", "/_localstack/")
_FUNCTION_URLS: Final = "/_aws/lambda-url/"
_API_CALLS: Final = "/_aws/execute-api/"
# The page's cookies are for these hosts; before others, its path is a key of S3.
_PAGE_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?", re.IGNORECASE)
# Whatever a service answers, a browser that shows it runs nothing of it, and takes it for no page of this host.
_INERT: Final = ((b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff"))
_FUNCTION_HOST: Final = re.compile(r"[a-z0-9-]+\.lambda-url\.")
_HOST: Final = re.compile(r"(?P<name>\[::1\]|[a-z0-9._-]+)(?::(?P<port>\d{1,5}))?", re.IGNORECASE)
# Hashing more than this would hold up the other callers.
_MUCH: Final = 1 << 20


class Door:
    """Lets a request through to the services, or answers it itself.

    Args:
        services: The application behind the door.
        port: Where it listens.
        find_key: Finds a key that requests may be signed with.
        is_owner: Whether a key is the owner's, who alone may call the engine itself.
        page: Serves the page, and decides itself whom it lets in.
    """

    def __init__(
        self,
        services: Application,
        *,
        port: int,
        find_key: FindKey,
        is_owner: Callable[[str], bool] = lambda _: True,
        page: Application | None = None,
    ) -> None:
        self._services = services
        self._port = port
        self._find_key = find_key
        self._is_owner = is_owner
        self._page = page

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection of an ASGI server."""
        if scope["type"] == "http":
            await self._serve(take_proxied(scope), receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._services(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        request = read_head(scope)
        if self._page and is_for_page(request) and not find_foreign_origin(request.headers, self._port):
            await self._page(scope, receive, send)
            return
        if refusal := self._refuse_unread(request):
            await _drain(receive)
            await _answer(send, refusal, request.method)
            return
        body = await _read_body(receive)
        if body is None:
            return
        if not is_open_to_all(request) and (refusal := await self._refuse_unsigned(request, body)):
            await _answer(send, refusal, request.method)
            return
        await self._services(scope, _replay(body, receive), without_cross_origin_headers(send))

    async def _connect(self, scope: Message, receive: Receive, send: Send) -> None:
        request = read_head({**scope, "method": "GET"})
        if self._refuse_unread(request) or await self._refuse_unsigned(request, b""):
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._services(scope, receive, without_cross_origin_headers(send))

    def _refuse_unread(self, request: SentRequest) -> HttpAnswer | None:
        """What can be seen before the body is read; strangers cannot make the door keep theirs."""
        if reason := find_foreign_origin(request.headers, self._port):
            return write_error(find_wire_format(request), "AccessDenied", reason, 403)
        if is_open_to_all(request):
            return None
        if is_for_s3(request) and unquote(request.path).startswith(_ENGINE_PATHS):
            reason = (
                f"the local cloud serves such a key only if the bucket is in the path, not in the host: {request.path}"
            )
            return write_error(find_wire_format(request), "AccessDenied", reason, 403)
        try:
            key_id = name_key(request)
            if is_for_engine(request) and not self._is_owner(key_id):
                reason = f"only the owner of the local cloud may call the engine itself: {request.path}"
                return write_error(find_wire_format(request), "AccessDenied", reason, 403)
            if self._find_key(key_id):
                return None
            authenticate(request, self._find_key)
        except SignatureError as error:
            return refuse_signature(request, error.fault, error.message)
        return None

    async def _refuse_unsigned(self, head: SentRequest, body: bytes) -> HttpAnswer | None:
        request = SentRequest(method=head.method, path=head.path, query=head.query, headers=head.headers, body=body)
        try:
            if len(body) > _MUCH:
                await asyncio.to_thread(authenticate, request, self._find_key)
            else:
                authenticate(request, self._find_key)
        except SignatureError as error:
            return refuse_signature(request, error.fault, error.message)
        return _refuse_uncertain(request)


def _refuse_uncertain(request: SentRequest) -> HttpAnswer | None:
    if is_for_function(request):
        if find_service(request) in ("lambda", ""):
            return None
        reason = "The request must be signed for the service lambda, as those of function URLs are."
        return write_error(find_wire_format(request), "InvalidSignatureException", reason, 403)
    if is_for_api(request):
        if find_service(request) == "execute-api":
            return None
        reason = "The request must be signed for the service execute-api, as those to APIs are."
        return write_error(find_wire_format(request), "InvalidSignatureException", reason, 403)
    if is_for_engine(request) and not is_for_s3(request):
        return None
    try:
        read_operation(request)
    except UncertainRequestError as error:
        return refuse_operation(request, f"The local cloud serves what AWS's clients send: {error}.")
    return None


def take_proxied(scope: Message) -> Message:
    """A request for its own host as if it had come directly: to a proxy, clients send the whole address.

    So a name that no resolver knows leads here, too: with `HTTP_PROXY` set to the local cloud's address.
    """
    path: bytes = scope.get("raw_path") or b""
    host = dict(scope["headers"]).get(b"host", b"")
    if not host or not path.startswith(b"http://" + host + b"/"):
        return scope
    raw_path = path.removeprefix(b"http://" + host)
    return {**scope, "raw_path": raw_path, "path": unquote(raw_path.decode("latin-1"))}


def read_head(scope: Message) -> SentRequest:
    """All of a request but its body."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), _decode(raw_value)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    return SentRequest(
        method=scope["method"],
        path=path.decode("latin-1"),
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers=headers,
    )


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def is_open_to_all(request: SentRequest) -> bool:
    """Whether a request needs no signature: neither whether the cloud is up nor who runs it is a secret."""
    if request.method in ("GET", "HEAD"):
        return request.path == HEALTH_PATH
    return request.method == "PUT" and _CAPABILITIES.fullmatch(request.path) is not None


def is_for_engine(request: SentRequest) -> bool:
    """Whether a request is for none of AWS's services; functions and APIs are called below the engine's paths."""
    path = unquote(request.path)
    return path.startswith(_ENGINE_PATHS) and not path.startswith((_FUNCTION_URLS, _API_CALLS))


def is_for_page(request: SentRequest) -> bool:
    """Whether a request is for the page, which no bucket can be taken for: their names have no underscore."""
    is_below = f"{request.path}/".startswith(PAGE_PATH)
    return is_below and _PAGE_HOST.fullmatch(request.headers.get("host", "")) is not None


def is_for_function(request: SentRequest) -> bool:
    """Whether a request is for a function, at its URL."""
    is_named = _FUNCTION_HOST.match(request.headers.get("host", "")) is not None
    return is_named or unquote(request.path).startswith(_FUNCTION_URLS)


def is_for_api(request: SentRequest) -> bool:
    """Whether a request is for a method of an API."""
    return unquote(request.path).startswith(_API_CALLS)


def is_for_s3(request: SentRequest) -> bool:
    """Whether a request is signed for S3, which must not lead it to the engine's own services."""
    return find_service(request) == "s3" or is_presigned_for_s3(request)


def find_foreign_origin(headers: Mapping[str, str], port: int) -> str | None:
    """Why a request comes from elsewhere than a program of this machine, or nothing."""
    host = headers.get("host", "")
    if not is_this_machine(host, port):
        return f"the local cloud answers to 127.0.0.1, localhost and names below them, not to the host {host!r}"
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return f"the local cloud accepts no requests from web pages, so none from the origin {origin!r}"
    if headers.get("sec-fetch-site") == "cross-site":
        return "the local cloud accepts no requests from web pages"
    return None


def is_this_machine(host: str, port: int) -> bool:
    """Whether a Host header names this machine, by a name that cannot lead elsewhere."""
    match = _HOST.fullmatch(host)
    if match is None or match["port"] not in (None, str(port)):
        return False
    name = match["name"].lower()
    # No resolver knows names below an address, and browsers refuse them, so no page of a stranger has one.
    return name in ("127.0.0.1", "localhost", "[::1]") or name.endswith((".localhost", ".127.0.0.1"))


def without_cross_origin_headers(send: Send) -> Send:
    """Answers without the headers that let pages of other origins read them, and with those that make them inert."""

    async def send_private(message: Message) -> None:
        if "headers" in message:
            kept = [header for header in message["headers"] if not header[0].lower().startswith(b"access-control-")]
            inert = _INERT if message["type"] == "http.response.start" else ()
            message = {**message, "headers": [*kept, *inert]}
        await send(message)

    return send_private


async def _read_body(receive: Receive) -> bytes | None:
    """A request's body, or nothing if the caller is gone."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _drain(receive: Receive) -> None:
    """Read a body to its end and forget it: a caller that is still sending would not see the answer."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass


def _replay(body: bytes, receive: Receive) -> Receive:
    """The services read the body again, then wait with the connection."""
    read = False

    async def receive_again() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _answer(send: Send, answer: HttpAnswer, method: str) -> None:
    status, headers, body = answer
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})
