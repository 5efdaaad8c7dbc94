"""Images as S3 has them: through the address that Object Lambda gives, or through the function's access point."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from urllib3 import HTTPHeaderDict

from .contract import ErrorCode
from .failures import RequestError, pass_on, read_s3_error
from .limits import Limits

# Whoever waits gets an answer: with every attempt at its limit, 8 of the 30 s that a function has are left.
CONNECT_SECONDS: Final = 1
READ_SECONDS: Final = 4
TOTAL_SECONDS: Final = 8
ATTEMPTS: Final = 2
_CHUNK_BYTES: Final = 1024 * 1024
_ERROR_BYTES: Final = 8192


@dataclass(frozen=True, kw_only=True)
class Original:
    """An image in S3, open: what it is called is known, its bytes are read when needed.

    Args:
        name: Tells it from every other image and from its own other versions.
        read: Reads its bytes.
    """

    name: str
    read: Callable[[], bytes]


class PresignedAddress:
    """The address under which Object Lambda lets the function read an image in the caller's name."""

    def __init__(self, http: urllib3.PoolManager, url: str, request_headers: Mapping[str, str]) -> None:
        self._http = http
        self._url = url
        self._headers = select_signed_headers(url, request_headers)

    @contextmanager
    def open(self) -> Iterator[Original]:
        """The image, as S3 answers the caller.

        Raises:
            RequestError: With S3's own error.
        """
        with self._request("GET") as response:
            yield Original(name=_name(read_key(self._url), response.headers), read=lambda: _read_http(response))

    def check(self) -> str:
        """The image's ETag, if the caller may read it."""
        with self._request("HEAD") as response:
            return str(response.headers.get("ETag", ""))

    @contextmanager
    def _request(self, method: str) -> Iterator[urllib3.BaseHTTPResponse]:
        try:
            response = self._http.request(method, self._url, headers=self._headers, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise _unavailable(error) from error
        try:
            if response.status != HTTPStatus.OK:
                raise read_s3_error(response.status, response.read(_ERROR_BYTES))
            yield response
        finally:
            # Bytes that nobody has read would be taken for the next answer on this connection.
            response.close()


class AccessPoint:
    """The access point through which the function reads images in its own name."""

    def __init__(self, s3: Any, name: str) -> None:
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
        condition = {"IfMatch": etag} if etag else {}
        try:
            found = self._s3.get_object(Bucket=self._name, Key=key, **condition)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise pass_on(status, error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        body = found["Body"]
        try:
            headers = HTTPHeaderDict(found["ResponseMetadata"]["HTTPHeaders"])
            yield Original(name=_name(key, headers), read=lambda: _read_object(body, found["ContentLength"]))
        finally:
            body.close()


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


def _name(key: str, headers: HTTPHeaderDict) -> str:
    return "\n".join([key, headers.get("ETag", ""), headers.get("x-amz-version-id", "")])


def _read_http(response: urllib3.BaseHTTPResponse) -> bytes:
    declared = response.headers.get("Content-Length")
    try:
        return _read(response.stream(_CHUNK_BYTES), int(declared) if declared else None)
    except urllib3.exceptions.HTTPError as error:
        raise _unavailable(error) from error


def _read_object(body: Any, declared: int) -> bytes:
    try:
        return _read(body.iter_chunks(_CHUNK_BYTES), declared)
    except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
        raise _unavailable(error) from error


def _read(chunks: Iterator[bytes], declared: int | None) -> bytes:
    """All chunks, as long as they are no more than an image may have and come in time."""
    limits, end = Limits(), time.monotonic() + TOTAL_SECONDS
    if declared is not None:
        limits.check_file(declared)
    read = bytearray()
    for chunk in chunks:
        read += chunk
        limits.check_file(len(read))
        if time.monotonic() > end:
            raise _unavailable(TimeoutError())
    return bytes(read)


def _unavailable(error: Exception) -> RequestError:
    reason = f"the image could not be read from S3: {type(error).__name__}; try again"
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.SOURCE_UNAVAILABLE, reason)
