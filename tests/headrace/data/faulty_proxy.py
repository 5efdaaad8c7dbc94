"""A proxy in front of S3 that spoils what objects answer."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

SIGNED_ANEW = {"host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}

Spoil = Callable[[str, bytes], bytes]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: str
    spoil: Spoil

    def do_GET(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()

    def _forward(self) -> None:
        url = self.upstream + self.path
        request = urllib.request.Request(url, headers=self._sign(url), method=self.command)  # noqa: S310
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                self._answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                self._answer(answer.code, dict(answer.headers), answer.read())

    def _sign(self, url: str) -> dict[str, str]:
        """The client's headers with a signature for the host behind: its own covers this one."""
        kept = {name: value for name, value in self.headers.items() if name.lower() not in SIGNED_ANEW}
        request = AWSRequest(self.command, url, headers=kept)
        session = boto3.Session()
        S3SigV4Auth(session.get_credentials(), "s3", session.region_name).add_auth(request)
        return dict(request.headers)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        is_object = self.command == "GET" and "list-type" not in self.path and status in (200, 206)
        body = type(self).spoil(self.path, body) if is_object else body
        length = headers["Content-Length"] if self.command == "HEAD" else str(len(body))
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Be silent."""


@contextmanager
def spoiling(upstream: str, spoil: Spoil) -> Iterator[str]:
    """The endpoint of a proxy that answers with what `spoil` makes of an object's path and content."""
    handler = type("Handler", (_Handler,), {"upstream": upstream, "spoil": staticmethod(spoil)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
