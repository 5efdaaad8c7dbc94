"""Images as S3 has them: through the address that Object Lambda gives, or through the function's access point."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from headrace.normalizer.contract import ErrorCode
from headrace.normalizer.sizes import check_size

from .connections import READ_SECONDS, Answer, Connections, CutOffError, Request
from .failures import RefusalError
from .s3 import S3, ask_s3


class Original(NamedTuple):
    """A photograph in S3, open: what it is called is known, its bytes are read when needed.

    Args:
        name: Distinguishes it from every other photograph and from its own other versions.
        read: Reads its bytes, as long as it is open and they are no more than it is told.
    """

    name: str
    read: Callable[[int], bytes]


class PresignedAddress:
    """The address under which Object Lambda lets the function read a photograph in the caller's name."""

    def __init__(self, connections: Connections, url: str, request_headers: Mapping[str, str]) -> None:
        self._connections = connections
        self._url = url
        self._headers = select_signed_headers(url, request_headers)

    @contextmanager
    def open(self) -> Iterator[Original]:
        """The photograph, as S3 answers the caller.

        Raises:
            RefusalError: With S3's own error.
        """
        started = time.monotonic()
        with self._ask("GET") as answer:
            yield _describe(read_key(self._url), answer, lambda: self._ask("GET"), started)

    def check(self) -> str:
        """The photograph's ETag, if the caller may read it."""
        with self._ask("HEAD") as answer:
            return str(answer.headers.get("ETag", ""))

    def _ask(self, method: str) -> AbstractContextManager[Answer]:
        return ask_s3(self._connections, Request(method, self._url, self._headers))


class AccessPoint:
    """The access point through which the function reads photographs in its own name."""

    def __init__(self, s3: S3, name: str) -> None:
        self._s3 = s3
        self._name = name

    @contextmanager
    def open(self, key: str, etag: str | None = None) -> Iterator[Original]:
        """The photograph of a key.

        Args:
            key: Its key.
            etag: The only version that will do.

        Raises:
            RefusalError: With S3's own error.
        """
        started = time.monotonic()
        with self._s3.get_object(self._name, key, etag) as answer:
            yield _describe(key, answer, lambda: self._s3.get_object(self._name, key, etag), started)

    def find(self, key: str) -> Original:
        """The photograph of a key, where its bytes may not be needed: they take another request.

        Raises:
            RefusalError: With S3's own error.
        """
        with self._s3.head_object(self._name, key) as answer:
            name, etag = _name(key, answer), str(answer.headers.get("ETag", ""))
        return Original(name, lambda most_bytes: self._read_version(key, etag, most_bytes))

    def _read_version(self, key: str, etag: str, most_bytes: int) -> bytes:
        try:
            with self.open(key, etag) as original:
                return original.read(most_bytes)
        except RefusalError as error:
            if error.status != HTTPStatus.PRECONDITION_FAILED:
                raise
            reason = "the photograph was replaced while it was being read; try again"
            raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.SOURCE_UNAVAILABLE, reason) from error


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


def _name(key: str, answer: Answer) -> str:
    return "\n".join([key, answer.headers.get("ETag", ""), answer.headers.get("x-amz-version-id", "")])


def _describe(
    key: str, answer: Answer, ask_again: Callable[[], AbstractContextManager[Answer]], started: float
) -> Original:
    def read(most_bytes: int) -> bytes:
        try:
            return _collect(answer, most_bytes)
        except CutOffError:
            if time.monotonic() - started > READ_SECONDS:
                raise
            with ask_again() as second:
                if _name(key, second) != _name(key, answer):
                    raise
                return _collect(second, most_bytes)

    return Original(_name(key, answer), read)


def _collect(answer: Answer, most_bytes: int) -> bytes:
    """A photograph's bytes, as long as they are no more than the most."""
    if answer.declared_bytes is not None:
        check_size(answer.declared_bytes, most_bytes)
    read = bytearray()
    for piece in answer.stream():
        read += piece
        check_size(len(read), most_bytes)
    return bytes(read)
