"""The few operations of S3 that the function needs, in S3's own REST interface.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import quote

from headrace.normalizer.contract import ErrorCode

from .connections import Answer, Connections, NoAnswerError, Request
from .failures import RefusalError, read_s3_error
from .signing import Credentials, Signer

METADATA_PREFIX: Final = "x-amz-meta-"


class Place(NamedTuple):
    """Where S3 is.

    Args:
        region: The function's own.
        dns_suffix: What the names of AWS's servers end with there.
        endpoint: A server that stands in for AWS's and has the buckets in its paths.
    """

    region: str
    dns_suffix: str
    endpoint: str | None = None

    def locate_object(self, bucket: str, key: str) -> str:
        """The address of an object; an access point's alias is a bucket's name."""
        path = quote(key)
        if self.endpoint:
            return f"{self.endpoint}/{bucket}/{path}"
        return f"https://{bucket}.s3.{self.region}.{self.dns_suffix}/{path}"

    def locate_replies(self, route: str) -> str:
        """The address for replies to those who ask through Object Lambda."""
        server = self.endpoint or f"https://{route}.s3-object-lambda.{self.region}.{self.dns_suffix}"
        return f"{server}/WriteGetObjectResponse"


class Reply(NamedTuple):
    """What a caller gets through Object Lambda.

    Args:
        status: The HTTP status.
        headers: Those that describe a normalized image.
        body: The normalized image.
        error: A code and a message instead of it.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    error: tuple[str, str] | None = None


class S3:
    """Speaks to S3 in the function's name."""

    def __init__(
        self,
        connections: Connections,
        place: Place,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connections = connections
        self._place = place
        self._objects = Signer(credentials, place.region, "s3")
        self._replies = Signer(credentials, place.region, "s3-object-lambda")
        self._clock = clock

    def get_object(self, bucket: str, key: str, etag: str | None = None) -> AbstractContextManager[Answer]:
        """An object.

        Args:
            bucket: Its bucket, or an access point's alias.
            key: Its key.
            etag: The only version that will do.

        Raises:
            RefusalError: With S3's own error.
        """
        headers = {"if-match": etag} if etag else {}
        return self._ask(self._objects, "GET", self._place.locate_object(bucket, key), headers)

    def head_object(self, bucket: str, key: str) -> AbstractContextManager[Answer]:
        """What there is to know of an object without its bytes.

        Raises:
            RefusalError: With S3's own error.
        """
        return self._ask(self._objects, "HEAD", self._place.locate_object(bucket, key), {})

    def put_object(self, bucket: str, key: str, body: bytes, media_type: str, metadata: Mapping[str, str] = {}) -> None:
        """Keep an object, and beside it what its metadata say.

        Raises:
            RefusalError: With S3's own error.
        """
        url = self._place.locate_object(bucket, key)
        headers = {"content-type": media_type, **{f"{METADATA_PREFIX}{name}": metadata[name] for name in metadata}}
        with self._ask(self._objects, "PUT", url, headers, body):
            pass

    def presign_get(self, bucket: str, key: str, seconds: int) -> str:
        """An address under which anybody may read an object for some seconds."""
        return self._objects.presign_get(self._place.locate_object(bucket, key), seconds, self._clock())

    def write_get_object_response(self, route: str, token: str, reply: Reply) -> None:
        """Send a reply through Object Lambda.

        Args:
            route: Where to, from the event.
            token: Whom to, from the event.
            reply: What to send.

        Raises:
            RefusalError: With S3's own error.
        """
        headers = {
            "x-amz-request-route": route,
            "x-amz-request-token": token,
            "x-amz-fwd-status": str(reply.status),
            **{f"x-amz-fwd-header-{name.lower()}": value for name, value in reply.headers.items()},
        }
        if reply.error:
            headers["x-amz-fwd-error-code"], headers["x-amz-fwd-error-message"] = reply.error
        with self._ask(self._replies, "POST", self._place.locate_replies(route), headers, reply.body):
            pass

    def _ask(
        self, signer: Signer, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> AbstractContextManager[Answer]:
        signed = signer.sign_headers(method, url, headers, body, self._clock())
        return ask_s3(self._connections, Request(method, url, signed, body))


@contextmanager
def ask_s3(connections: Connections, request: Request) -> Iterator[Answer]:
    """What S3 answers, unless it is an error; reading the answer's body is part of it.

    Raises:
        RefusalError: With S3's own error, or that S3 did not answer.
    """
    try:
        with connections.ask(request) as answer:
            if answer.status != HTTPStatus.OK:
                raise read_s3_error(answer.status, answer.read())
            yield answer
    except NoAnswerError as error:
        reason = f"S3 could not be asked: {error}; try again"
        raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.SOURCE_UNAVAILABLE, reason) from error
