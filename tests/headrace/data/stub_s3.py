"""A stand-in for S3 that refuses what a test chooses, with S3's codes: those that no local cloud gives."""

import hashlib
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

BUCKET = "stub"
WRITTEN = "Fri, 20 Nov 2026 10:00:00 GMT"
MESSAGE = "The reason S3 gives"


@dataclass(frozen=True)
class Answer:
    """What an operation answers instead of doing its work.

    Args:
        code: S3's code.
        status: HTTP's.
        has_body: Whether the code is sent at all.
        message: S3's sentence.
        headers: What else is told.
        text: The whole body, where it is not S3 that answers.
    """

    code: str
    status: int = 403
    has_body: bool = True
    message: str = MESSAGE
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def body(self) -> bytes:
        """The error as XML."""
        if self.text or not self.has_body:
            return self.text.encode()
        text = f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


@dataclass
class Stub:
    """The objects of one bucket, and the operations that fail: LIST, GET, HEAD, PUT, COPY, CREATE, PART, DELETE.

    Args:
        objects: Content by key.
        refusals: The answer by operation, or by operation and key.
        cut: The keys of which only the first half arrives.
        slow_seconds: How long each answer takes.
        asked: The operations and keys, in their order.
        types: The content types that objects were stored with.
    """

    endpoint: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str | tuple[str, str], Answer] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    slow_seconds: float = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)

    def reset(self, objects: dict[str, bytes]) -> None:
        """Forget everything but the endpoint, and hold these objects."""
        for name, value in vars(Stub(endpoint=self.endpoint, objects=objects)).items():
            setattr(self, name, value)

    @property
    def uri(self) -> str:
        """Its bucket's address."""
        return f"s3://{BUCKET}"

    @property
    def environment(self) -> dict[str, str]:
        """What leads AWS clients to it, without trying again what fails."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def find_refusal(self, operation: str, key: str) -> Answer | None:
        """The answer to an operation, if it is to fail."""
        return self.refusals.get((operation, key)) or self.refusals.get(operation)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it, each small answer waits for the acknowledgement of its headers.
    disable_nagle_algorithm = True
    stub: Stub

    def do_GET(self) -> None:
        self._deal_with("LIST" if "list-type" in self.path else "GET")

    def do_HEAD(self) -> None:
        self._deal_with("HEAD")

    def do_PUT(self) -> None:
        operation = "PART" if "partNumber" in self.path else "PUT"
        self._deal_with("COPY" if "x-amz-copy-source" in self.headers else operation)

    def do_POST(self) -> None:
        if "delete" in urllib.parse.urlsplit(self.path).query:
            self._deal_with("DELETE")
        else:
            self._deal_with("CREATE" if "uploads" in self.path else "COMPLETE")

    def do_DELETE(self) -> None:
        self._deal_with("ABORT")

    def _deal_with(self, operation: str) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.removeprefix(f"/{BUCKET}").removeprefix("/"))
        time.sleep(self.stub.slow_seconds)
        self.stub.asked.append((operation, key))
        if refused := self.stub.find_refusal(operation, key):
            self._send(refused.status, refused.body, {"Content-Type": "application/xml"} | refused.headers)
        elif operation == "LIST":
            self._send(200, self._list(), {"Content-Type": "application/xml"})
        elif operation in {"GET", "HEAD"}:
            self._read(key)
        else:
            self._write(operation, key, content)

    def _read(self, key: str) -> None:
        content = self.stub.objects.get(key)
        if content is None:
            answer = Answer("NoSuchKey", 404, message="The specified key does not exist.")
            self._send(404, answer.body, {"Content-Type": "application/xml"})
            return
        status, part = 200, content
        if wanted := self.headers.get("Range"):
            start, end = wanted.removeprefix("bytes=").split("-")
            status, part = 206, content[int(start) : int(end) + 1]
        headers = {"ETag": _tag(content), "Last-Modified": WRITTEN}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}"
        self._send(status, part, headers, is_cut=key in self.stub.cut)

    def _write(self, operation: str, key: str, content: bytes) -> None:
        if operation == "PUT":
            self.stub.objects[key] = content
            self.stub.types[key] = self.headers.get("Content-Type", "")
        if operation == "COPY":
            source = urllib.parse.unquote(self.headers["x-amz-copy-source"]).removeprefix(f"{BUCKET}/")
            self.stub.objects[key] = self.stub.objects[source]
            copied = f"<CopyObjectResult><ETag>{_tag(self.stub.objects[key])}</ETag></CopyObjectResult>"
            self._send(200, copied.encode(), {"Content-Type": "application/xml"})
            return
        self._send(200, b"", {"ETag": _tag(content)})

    def _list(self) -> bytes:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        prefix = query.get("prefix", [""])[0]
        entries = "".join(
            f"<Contents><Key>{urllib.parse.quote(key)}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>"
            f"<ETag>{escape(_tag(content))}</ETag><Size>{len(content)}</Size></Contents>"
            for key, content in sorted(self.stub.objects.items())
            if key.startswith(prefix)
        )
        encoding = "<EncodingType>url</EncodingType>"
        return f"<ListBucketResult>{encoding}<IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, is_cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.close_connection = is_cut

    def log_message(self, *arguments: object) -> None:
        """Be silent."""


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """The stub, reachable at its endpoint."""
    handler = type("Handler", (_Handler,), {"stub": stub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stub.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
