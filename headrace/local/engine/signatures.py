"""Checks the signature of a request as AWS does: in its headers, or in the query of a presigned address."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from botocore.auth import HmacV1Auth
from botocore.awsrequest import HTTPHeaders
from botocore.credentials import Credentials
from ministack.core import sigv4

from headrace.local.engine.credentials import AccessKey

ALGORITHM: Final = "AWS4-HMAC-SHA256"
LONGEST_PRESIGNED_SECONDS: Final = 7 * 24 * 3600
# How far ahead of this clock an address may have been presigned.
_CLOCK_SKEW: Final = timedelta(minutes=15)
_DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_OBJECT_LAMBDA: Final = "s3-object-lambda"
# Python does not read numbers of thousands of digits; the year 5138 has eleven.
_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_UNSIGNED_BODY: Final = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
_SIGNED_CHUNKS: Final = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")

FindKey = Callable[[str], AccessKey | None]


class Fault(Enum):
    """What is wrong with a request's signature; every service has its own word for it."""

    MISSING = auto()
    MALFORMED = auto()
    UNKNOWN_KEY = auto()
    WRONG_TOKEN = auto()
    EXPIRED_TOKEN = auto()
    WRONG_SIGNATURE = auto()
    OTHER_BODY = auto()
    SKEWED_CLOCK = auto()
    EXPIRED_ADDRESS = auto()


class SignatureError(Exception):
    """A request without the signature of a known key."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


@dataclass(frozen=True, kw_only=True)
class SentRequest:
    """A request as it was sent.

    Args:
        path: The path, still encoded.
        query: All values of each parameter, decoded.
        headers: By their names in lower case; repeated ones joined by a comma.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def parameter(self, name: str) -> str:
        """The first value of a query parameter, or nothing."""
        return self.query.get(name, [""])[0]


def name_key(request: SentRequest) -> str:
    """The id of the key that a request names.

    Raises:
        SignatureError: If it names none.
    """
    is_in_headers = request.headers.get("authorization", "").startswith(f"{ALGORITHM} ")
    if is_in_headers or request.parameter("X-Amz-Algorithm") == ALGORITHM:
        return str(_parse(request).access_key_id)
    if request.parameter("AWSAccessKeyId") and request.parameter("Signature"):
        return request.parameter("AWSAccessKeyId")
    raise SignatureError(Fault.MISSING, "Missing Authentication Token")


def authenticate(request: SentRequest, find_key: FindKey, now: datetime | None = None) -> AccessKey:
    """The key that signed a request.

    Args:
        request: The request.
        find_key: Finds a key by its id.
        now: The time; this machine's if left out.

    Raises:
        SignatureError: If it is not signed, not with a known key, not rightly, or not for this time.
    """
    key_id = name_key(request)
    key = find_key(key_id)
    if key is None:
        raise SignatureError(Fault.UNKNOWN_KEY, "The security token included in the request is invalid.")
    if request.parameter("AWSAccessKeyId") and "authorization" not in request.headers:
        _check_older_address(request, key)
        return key
    signature = _parse(request)
    _check_time(request, signature, now or datetime.now(UTC))
    _check_token(request, key)
    _check_signed_headers(request, signature)
    _check_body(request, signature)
    failure = sigv4.header_signature_failure(
        signature,
        key.secret,
        request.method,
        # Every service but S3 signs the path encoded once more; to MiniStack, Object Lambda is such a service.
        unquote(request.path) if signature.service == _OBJECT_LAMBDA else request.path,
        request.query,
        request.headers,
        request.body,
        presigned=_is_presigned(request),
    )
    if failure:
        raise SignatureError(Fault.WRONG_SIGNATURE, failure[1].strip())
    return key


def is_presigned_for_s3(request: SentRequest) -> bool:
    """Whether a request came by an address presigned for S3, which covers no body, and before version 4 no query."""
    if not _is_presigned(request):
        return False
    if request.parameter("X-Amz-Algorithm") == ALGORITHM:
        return request.parameter("X-Amz-Credential").split("/")[3:4] == ["s3"]
    return bool(request.parameter("AWSAccessKeyId") and request.parameter("Signature"))


def _is_presigned(request: SentRequest) -> bool:
    return "authorization" not in request.headers


def _parse(request: SentRequest) -> sigv4.HeaderSignature:
    parse = sigv4.parse_query_signature if _is_presigned(request) else sigv4.parse_header_signature
    try:
        signature = parse(request.query if _is_presigned(request) else request.headers)
    except OverflowError as error:
        # The end of the year 9999 has no time in a zone to the east.
        raise SignatureError(Fault.MALFORMED, f"The date of the request cannot be read: {error}") from None
    if isinstance(signature, tuple):
        raise SignatureError(Fault.MALFORMED, signature[1])
    if not signature.signature.isascii():
        raise SignatureError(Fault.MALFORMED, "The signature has other characters than hexadecimal digits")
    _read_date(signature)
    return signature


def _read_date(signature: sigv4.HeaderSignature) -> datetime:
    text = signature.amz_date
    try:
        if text.isascii() and len(text) == len("20261128T000000Z"):
            return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise SignatureError(Fault.MALFORMED, f"The date of the signature is not written as 20260131T235959Z: {text}")


def _check_time(request: SentRequest, signature: sigv4.HeaderSignature, now: datetime) -> None:
    if _is_presigned(request):
        _check_expiry(request.parameter("X-Amz-Expires"), _read_date(signature), now)
    elif failure := sigv4.request_time_failure(signature, now=now):
        raise SignatureError(Fault.SKEWED_CLOCK, failure[1])


def _check_expiry(expires: str, signed_at: datetime, now: datetime) -> None:
    if not _SECONDS.fullmatch(expires) or not 0 < int(expires) <= LONGEST_PRESIGNED_SECONDS:
        raise SignatureError(
            Fault.MALFORMED, f"X-Amz-Expires must be a number of seconds from 1 to {LONGEST_PRESIGNED_SECONDS}"
        )
    if now - signed_at > timedelta(seconds=int(expires)):
        raise SignatureError(Fault.EXPIRED_ADDRESS, "Request has expired")
    if signed_at - now > _CLOCK_SKEW:
        raise SignatureError(Fault.EXPIRED_ADDRESS, "Request is not valid yet")


def _check_token(request: SentRequest, key: AccessKey) -> None:
    sent = request.parameter("X-Amz-Security-Token") or request.headers.get("x-amz-security-token", "")
    if sent != (key.session_token or ""):
        raise SignatureError(Fault.WRONG_TOKEN, "The security token included in the request is invalid.")


def _check_signed_headers(request: SentRequest, signature: sigv4.HeaderSignature) -> None:
    """Without this, the holder of a presigned address could add headers that make another request of it."""
    signed = signature.signed_headers.split(";")
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
    if "host" not in signed or unsigned:
        names = ", ".join(unsigned or ["host"])
        raise SignatureError(Fault.WRONG_SIGNATURE, f"There were headers in the request which were not signed: {names}")


def _check_body(request: SentRequest, signature: sigv4.HeaderSignature) -> None:
    """The signature covers what the header says of the body; whether that is true is left to the receiver."""
    told = request.headers.get("x-amz-content-sha256")
    if told is None or told in _UNSIGNED_BODY or (_is_presigned(request) and signature.service == "s3"):
        return
    if told in _SIGNED_CHUNKS:
        return
    if told.lower() != hashlib.sha256(request.body).hexdigest():
        raise SignatureError(
            Fault.OTHER_BODY, "The provided 'x-amz-content-sha256' header does not match what was computed."
        )


def _check_older_address(request: SentRequest, key: AccessKey) -> None:
    """Signature version 2: what boto3 presigns for S3 in the older regions by default."""
    expires = request.parameter("Expires")
    if not _SECONDS.fullmatch(expires):
        raise SignatureError(Fault.MALFORMED, "Expires must be a number of seconds since 1970")
    if time.time() > int(expires):
        raise SignatureError(Fault.EXPIRED_ADDRESS, "Request has expired")
    if request.parameter("x-amz-security-token") != (key.session_token or ""):
        raise SignatureError(Fault.WRONG_TOKEN, "The security token included in the request is invalid.")
    if request.parameter("Signature") != _sign_older_address(request, key, expires):
        raise SignatureError(Fault.WRONG_SIGNATURE, sigv4.SIGNATURE_MISMATCH)


def _sign_older_address(request: SentRequest, key: AccessKey, expires: str) -> str:
    headers = HTTPHeaders()
    parameters = {name: values[0] for name, values in request.query.items() if name.lower().startswith("x-amz-")}
    for name, value in {**request.headers, **parameters}.items():
        headers[name] = value
    query = urlencode([(name, value) for name, values in request.query.items() for value in values], quote_via=quote)
    path = _bucket_in_host(request.headers.get("host", "")) + request.path
    signer = _OlderSigner(Credentials(key.key_id, key.secret, key.session_token), expires)
    return str(signer.get_signature(request.method, urlsplit(f"http://host?{query}"), headers, auth_path=path))


class _OlderSigner(HmacV1Auth):  # type: ignore[misc]
    """Signs the time at which an address expires instead of the date."""

    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _bucket_in_host(host: str) -> str:
    """A bucket that the host names belongs to the path that is signed."""
    found = re.match(r"(?P<bucket>.+?)(?:\.s3(?:[.-][a-z0-9-]+)?)?\.localhost(?::\d+)?$", host)
    return f"/{found['bucket']}" if found else ""
