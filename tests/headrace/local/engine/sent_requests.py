"""Requests as stock clients send them, taken before they leave, and answers as those clients read them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.door import Message, read_head
from headrace.local.engine.signatures import SentRequest

PORT = 4711
ENDPOINT = f"http://127.0.0.1:{PORT}"
OWNER = AccessKey(key_id="AKIAOWNEROWNEROWNER2", secret="of the owner")


# It reads each service's model once.
_SESSION = boto3.Session()


class SentError(Exception):
    """Ends a call when its request has been taken."""


def connect(service: str, key: AccessKey = OWNER, **config: Any) -> Any:
    """A stock client with a key."""
    return _SESSION.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=key.key_id,
        aws_secret_access_key=key.secret,
        aws_session_token=key.session_token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def take(client: Any, operation: str, **parameters: Any) -> SentRequest:
    """The request that a client would send for an operation."""
    taken: list[SentRequest] = []

    def keep(request: Any, **_: Any) -> None:
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        taken.append(make_request(request.method, request.url, dict(request.headers.items()), content))
        raise SentError

    client.meta.events.register("before-send", keep)
    try:
        getattr(client, operation)(**parameters)
    except SentError:
        pass
    finally:
        client.meta.events.unregister("before-send", keep)
    return taken[0]


def make_request(
    method: str, url: str, headers: Mapping[str, str | bytes] | None = None, body: bytes = b""
) -> SentRequest:
    """A request to an address."""
    return replace(read_head(make_scope(method, url, headers)), body=body)


def make_scope(method: str, url: str, headers: Mapping[str, str | bytes] | None = None) -> Message:
    """What an ASGI server knows of a request."""
    parts = urlsplit(url)
    given = {"host": parts.netloc, **{name.lower(): value for name, value in (headers or {}).items()}}
    return {
        "type": "http",
        "method": method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), v if isinstance(v, bytes) else v.encode()) for name, v in given.items()],
    }


def read_answer(client: Any, operation: str, answer: tuple[int, Mapping[str, str], bytes], **parameters: Any) -> Any:
    """What a client makes of an answer; raises its error."""

    def answer_it(request: Any, **_: Any) -> AWSResponse:
        status, headers, body = answer
        response = AWSResponse(request.url, status, _Headers(headers), None)
        response._content = body
        return response

    client.meta.events.register("before-send", answer_it)
    try:
        return getattr(client, operation)(**parameters)
    finally:
        client.meta.events.unregister("before-send", answer_it)


class _Headers(dict[str, str]):
    """Headers by their names in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)
