"""A bucket for the doors: as a client's few operations, and as addresses that somebody has signed."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

MISSING = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


@dataclass
class Bucket:
    """Objects by key, what has been asked for, and what must fail."""

    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    failing: dict[str, str] = field(default_factory=dict)

    def etag(self, key: str) -> str:
        """An object's ETag."""
        return f'"{hash(self.objects[key]):x}"'

    # What follows is boto3's client, as far as the doors use it.

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str | None = None) -> dict[str, Any]:  # noqa: N803
        self.requests.append(("GetObject", Key, {"bucket": Bucket}))
        self._fail("GetObject")
        if Key not in self.objects:
            raise _error("NoSuchKey", 404)
        if IfMatch not in {None, self.etag(Key)}:
            raise _error("PreconditionFailed", 412)
        body = self.objects[Key]
        return {
            "Body": StreamingBody(io.BytesIO(body), len(body)),
            "ContentLength": len(body),
            "ResponseMetadata": {"HTTPHeaders": {"etag": self.etag(Key)}},
        }

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.requests.append(("PutObject", Key, {"bucket": Bucket, "type": ContentType}))
        self._fail("PutObject")
        self.objects[Key] = Body

    def generate_presigned_url(self, _: str, *, Params: dict[str, str], ExpiresIn: int) -> str:  # noqa: N803
        return f"https://s3.test/{Params['Key']}?expires={ExpiresIn}"

    def write_get_object_response(self, **answer: Any) -> None:
        self.answers.append(answer)

    def _fail(self, operation: str) -> None:
        if operation in self.failing:
            raise _error(self.failing[operation], 503)


def _error(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": f"{code}!"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")


@contextmanager
def serve(bucket: Bucket) -> Iterator[str]:
    """Serve a bucket's objects over HTTP; the address that keys are appended to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            key = unquote(urlsplit(self.path).path).removeprefix("/")
            bucket.requests.append((self.command, key, dict(self.headers.items())))
            found = bucket.objects.get(key)
            body = MISSING if found is None else found
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            if found is not None:
                self.send_header("ETag", bucket.etag(key))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Tests read `bucket.requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def sign(address: str, key: str, *headers: str) -> str:
    """An address as S3 signs it."""
    return f"{address}{quote(key)}?X-Amz-SignedHeaders={quote(';'.join(['host', *headers]))}&X-Amz-Signature=0"
