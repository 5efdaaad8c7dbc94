"""Images as S3 has them: through the address that Object Lambda gives, or through the function's access point."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from .connections import Answer, Connections, Request
from .limits import Limits
from .s3 import S3, ask_s3


class Original(NamedTuple):
    """An image in S3, open: what it is called is known, its bytes are read when needed.

    Args:
        name: Tells it from every other image and from its own other versions.
        read: Reads its bytes, as long as it is open.
    """

    name: str
    read: Callable[[], bytes]


class PresignedAddress:
    """The address under which Object Lambda lets the function read an image in the caller's name."""

    def __init__(self, connections: Connections, url: str, request_headers: Mapping[str, str]) -> None:
        self._connections = connections
        self._url = url
        self._headers = select_signed_headers(url, request_headers)

    @contextmanager
    def open(self) -> Iterator[Original]:
        """The image, as S3 answers the caller.

        Raises:
            RequestError: With S3's own error.
        """
        with self._ask("GET") as answer:
            yield _describe(read_key(self._url), answer)

    def check(self) -> str:
        """The image's ETag, if the caller may read it."""
        with self._ask("HEAD") as answer:
            return str(answer.headers.get("ETag", ""))

    def _ask(self, method: str) -> AbstractContextManager[Answer]:
        return ask_s3(self._connections, Request(method, self._url, self._headers))


class AccessPoint:
    """The access point through which the function reads images in its own name."""

    def __init__(self, s3: S3, name: str) -> None:
        self._s3 = s3
        self._name = name

    @contextmanager
    def open(self, key: str, etag: str | None = None) -> Iterator[Original]:
        """The image of a key.

        Args:
            key: Its key.
            etag: The only version that will do.

        Raises:
            RequestError: With S3's own error.
        """
        with self._s3.get_object(self._name, key, etag) as answer:
            yield _describe(key, answer)


def select_signed_headers(url: str, request_headers: Mapping[str, str]) -> dict[str, str]:
    """The caller's headers that a presigned address wants to see again.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-writing-lambda.html
    """
    (signed,) = parse_qs(urlsplit(url).query).get("X-Amz-SignedHeaders", [""])
    wanted = set(signed.split(";")) - {"host"}
    return {name: value for name, value in request_headers.items() if name.lower() in wanted}


def read_key(url: str) -> str:
    """The key in an address that Object Lambda gives, whether the access point is in its host or in its path."""
    path = unquote(urlsplit(url).path).removeprefix("/")
    first, _, rest = path.partition("/")
    return rest if first.endswith("-s3alias") else path


def _describe(key: str, answer: Answer) -> Original:
    version = [answer.headers.get("ETag", ""), answer.headers.get("x-amz-version-id", "")]
    return Original(name="\n".join([key, *version]), read=lambda: _read(answer))


def _read(answer: Answer) -> bytes:
    """An image's bytes, as long as they are no more than an image may have."""
    limits = Limits()
    if answer.declared_bytes is not None:
        limits.check_file(answer.declared_bytes)
    read = bytearray()
    for piece in answer.stream():
        read += piece
        limits.check_file(len(read))
    return bytes(read)
