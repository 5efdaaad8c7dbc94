"""As much of S3 as bulk normalizing needs, in a thread: made photographs, and who wrote what how often.

A program's access key is its name. The one that is to be killed gets no answer any more, so that it cannot end before.
"""

import asyncio
import hashlib
import io
import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Event, Thread
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "bench"
PHOTOGRAPHS = "photographs/"
KINDS = 500
PAGE = 1_000
# Long ago, so that what was normalized is not asked what it was made of.
_TAKEN, _WRITTEN = "2026-11-20T10:00:00.000Z", "2026-11-20T11:00:00.000Z"

_REQUEST = re.compile(rb"(GET|PUT|HEAD) (\S+) HTTP/1.1\r\n(.*?)\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"^content-length: (\d+)\r?$", re.IGNORECASE | re.MULTILINE)
_WRITER = re.compile(rb"Credential=([^/]+)/")
_WAITS = re.compile(rb"^expect: 100-continue\r?$", re.IGNORECASE | re.MULTILINE)


@cache
def make_photograph(kind: int) -> bytes:
    """A made photograph of 160 x 120 pixels, one of so many kinds; about 5 KB."""
    from PIL import Image

    chance = random.Random(kind)
    coarse = Image.frombytes("RGB", (20, 15), chance.randbytes(20 * 15 * 3))
    encoded = io.BytesIO()
    coarse.resize((160, 120), Image.Resampling.BICUBIC).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def digest(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Bucket:
    """What lies in it, and what came of requests.

    Args:
        photographs: How many there are.
        result: The prefix of the normalized images, of which only digests are kept.
    """

    def __init__(self, photographs: int, result: str) -> None:
        self.paths = [f"class-{number % 10}/{number:07}.jpg" for number in range(photographs)]
        self.result = result
        self.written: dict[str, list[str]] = {}
        self.writers: Counter[str] = Counter()
        self.documents: dict[str, bytes] = {}
        self.victim, self.allowed, self.reached = "", 0, Event()
        self._photographs = sorted(f"{PHOTOGRAPHS}{path}" for path in self.paths)
        self._etags = [digest(make_photograph(kind)) for kind in range(min(KINDS, photographs))]
        self._sorted: list[str] = []

    def let(self, victim: str, allowed: int) -> None:
        """Let a program write so many normalized images and answer it no more."""
        self.victim, self.allowed = victim, allowed

    def ignores(self, writer: str) -> bool:
        """Whether a program has written as much as it may."""
        if writer != self.victim or self.writers[writer] < self.allowed:
            return False
        self.reached.set()
        return True

    def find_kind(self, key: str) -> int:
        """Of which kind a photograph is, or that of a normalized image."""
        return int(key[-11:-4]) % KINDS

    def get(self, key: str) -> tuple[str, bytes]:
        """The digest and the content of an object."""
        if key.startswith(PHOTOGRAPHS):
            kind = self.find_kind(key)
            return self._etags[kind], make_photograph(kind)
        return digest(self.documents[key]), self.documents[key]

    def put(self, key: str, content: bytes, writer: str) -> str:
        """Keep an object, or of a normalized image who wrote it; its digest."""
        etag = digest(content)
        if key.startswith(self.result):
            self.written.setdefault(key, []).append(etag)
            self.writers[writer] += 1
        else:
            self.documents[key] = content
        return etag

    def list_page(self, query: Mapping[str, str]) -> bytes:
        """A page of a list, the next one if the query says after which key."""
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        keys = self._find_keys(prefix)
        begin = bisect_right(keys, after)
        page = keys[begin : begin + PAGE]
        more = begin + PAGE < len(keys)
        contents = "".join(self._describe(key) for key in page)
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{NAME}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        ).encode()

    def _find_keys(self, prefix: str) -> Sequence[str]:
        if prefix == PHOTOGRAPHS:
            return self._photographs
        if len(self._sorted) != len(self.written):
            self._sorted = sorted(self.written)
        return self._sorted

    def _describe(self, key: str) -> str:
        is_photograph = key.startswith(PHOTOGRAPHS)
        etag = self._etags[self.find_kind(key)] if is_photograph else self.written[key][-1]
        return (
            f"<Contents><Key>{key}</Key><LastModified>{_TAKEN if is_photograph else _WRITTEN}</LastModified>"
            f"<ETag>&quot;{etag}&quot;</ETag><Size>5000</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._received = b""
        self._is_continued = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while found := _REQUEST.match(self._received):
            method, target, headers = found.groups()
            length = _LENGTH.search(headers)
            end = found.end() + (int(length[1]) if length else 0)
            if len(self._received) < end:
                if _WAITS.search(headers) and not self._is_continued:
                    self._is_continued = True
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self._received = self._received[found.end() : end], self._received[end:]
            self._is_continued = False
            self._answer(method, target.decode(), headers, body)

    def _answer(self, method: bytes, target: str, headers: bytes, body: bytes) -> None:
        writer = found[1].decode() if (found := _WRITER.search(headers)) else ""
        if self._bucket.ignores(writer):
            return
        url = urlsplit(target)
        key = unquote(url.path).removeprefix(f"/{NAME}").lstrip("/")
        if method == b"PUT":
            self._send("200 OK", self._bucket.put(key, body, writer))
        elif not key:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self._send("200 OK", "", self._bucket.list_page(query))
        elif key.startswith(PHOTOGRAPHS) or key in self._bucket.documents:
            self._send("200 OK", *self._bucket.get(key))
        else:
            self._send("404 Not Found", "", b"<Error><Code>NoSuchKey</Code></Error>")

    def _send(self, status: str, etag: str, body: bytes = b"") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f'ETag: "{etag}"', "", ""]
        self._transport.write("\r\n".join(lines).encode() + body)


def serve(bucket: Bucket) -> str:
    """Answer in a thread for as long as the process lives; the address."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: Conversation(bucket), "127.0.0.1", 0, backlog=1024))
    Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
