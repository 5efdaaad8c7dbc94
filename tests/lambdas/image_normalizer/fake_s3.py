"""A server that stands in for S3 as far as the doors use it, and addresses on it that somebody has signed."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from lambdas.image_normalizer.connections import Connections
from lambdas.image_normalizer.s3 import S3, Place
from lambdas.image_normalizer.signing import Credentials

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", None)
PLACE = Place("us-east-1", "amazonaws.com")
# In the local cloud, too, an access point's alias is the first part of a path.
ALIAS = "source-s3alias"

_STATUSES = {"NoSuchKey": 404, "AccessDenied": 403, "PreconditionFailed": 412, "InternalError": 500, "SlowDown": 503}
_FORWARDED = "x-amz-fwd-header-"


class Asked(NamedTuple):
    """A request that has arrived."""

    method: str
    bucket: str
    key: str
    headers: dict[str, str]


class Sent(NamedTuple):
    """What somebody has been sent who asked through Object Lambda."""

    route: str
    token: str
    status: int
    headers: dict[str, str]
    code: str | None
    message: str | None
    body: bytes


@dataclass
class Bucket:
    """Objects by key, what has been asked and sent, and what must fail.

    Args:
        objects: Bodies by key; there is no second bucket, whatever it is called.
        connections: For requests to it.
        url: Where it is served.
        failing: Errors by method.
        asked: All requests but those that bring what is sent.
        sent: What has gone through Object Lambda.
        metadata: What was written beside objects, as headers.
        cuts: How many bodies break off from now on.
    """

    objects: dict[str, bytes]
    connections: Connections
    url: str
    failing: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    cuts: int = 0

    @property
    def client(self) -> S3:
        """The function's client."""
        return S3(self.connections, PLACE._replace(endpoint=self.url), CREDENTIALS)

    def etag(self, key: str) -> str:
        """An object's ETag."""
        return f'"{hash(self.objects[key]):x}"'

    def sign(self, key: str, *headers: str) -> str:
        """The address of an object with a signature that wants these headers."""
        signed = quote(";".join(["host", *headers]))
        return f"{self.url}/{ALIAS}/{quote(key)}?X-Amz-SignedHeaders={signed}&X-Amz-Signature=0"

    def find_error(self, asked: Asked) -> str | None:
        """The code of the error that a request is answered with."""
        if asked.method in self.failing:
            return self.failing[asked.method]
        if asked.method == "PUT":
            return None
        if asked.key not in self.objects:
            return "NoSuchKey"
        wanted = asked.headers.get("if-match")
        return "PreconditionFailed" if wanted and wanted != self.etag(asked.key) else None


@contextmanager
def serve(objects: dict[str, bytes]) -> Iterator[Bucket]:
    """Serve objects over HTTP."""
    with closing(Connections(pause=lambda: None)) as connections, _Server(("127.0.0.1", 0), _Handler) as server:
        server.bucket = Bucket(objects, connections, f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.bucket
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    bucket: Bucket


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        asked = self.read_request()
        if not self.refuse(asked):
            headers = {"ETag": self.server.bucket.etag(asked.key), **self.server.bucket.metadata.get(asked.key, {})}
            self.answer(200, self.server.bucket.objects[asked.key], headers)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        asked, body = self.read_request(), self.read_body()
        if not self.refuse(asked):
            self.server.bucket.objects[asked.key] = body
            metadata = {name: value for name, value in asked.headers.items() if name.startswith("x-amz-meta-")}
            self.server.bucket.metadata[asked.key] = metadata
            self.answer(200)

    def do_POST(self) -> None:
        self.server.bucket.sent.append(_read_sent(self.lower_headers(), self.read_body()))
        self.answer(200)

    def read_request(self) -> Asked:
        bucket, _, key = unquote(urlsplit(self.path).path).removeprefix("/").partition("/")
        asked = Asked(self.command, bucket, key, self.lower_headers())
        self.server.bucket.asked.append(asked)
        return asked

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def refuse(self, asked: Asked) -> bool:
        code = self.server.bucket.find_error(asked)
        if code:
            document = f"<Error><Code>{code}</Code><Message>This is {code}.</Message></Error>"
            self.answer(_STATUSES[code], document.encode())
        return bool(code)

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and self.server.bucket.cuts:
            self.server.bucket.cuts -= 1
            self.close_connection = True
            body = body[: len(body) // 2]
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests read what has been asked."""


def _read_sent(headers: dict[str, str], body: bytes) -> Sent:
    described = {name.removeprefix(_FORWARDED): headers[name] for name in headers if name.startswith(_FORWARDED)}
    return Sent(
        route=headers["x-amz-request-route"],
        token=headers["x-amz-request-token"],
        status=int(headers["x-amz-fwd-status"]),
        headers=described,
        code=headers.get("x-amz-fwd-error-code"),
        message=headers.get("x-amz-fwd-error-message"),
        body=body,
    )
