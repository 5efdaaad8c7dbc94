"""Signature Version 4 as S3 reads it, for requests and for addresses that somebody else may use.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html; tests hold it equal to botocore's, whose
import would be most of a cold start (docs/decisions/0008-the-function-signs-for-itself.md).
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Credentials(NamedTuple):
    """What shows AWS who asks; a role's have a token beside the two keys."""

    key_id: str
    secret: str
    token: str | None


class Signer(NamedTuple):
    """Signs with one identity's keys for one service in one region; the time is given in seconds since 1970."""

    credentials: Credentials
    region: str
    service: str

    def sign_headers(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, now: float
    ) -> dict[str, str]:
        """The headers of a request with those added that make it a signed one."""
        moment, payload_hash = _format_moment(now), hashlib.sha256(body).hexdigest()
        signed = {**headers, "x-amz-content-sha256": payload_hash, "x-amz-date": moment}
        if self.credentials.token:
            signed["x-amz-security-token"] = self.credentials.token
        names, request = _canonicalize(method, url, signed, payload_hash)
        signature = self._sign(moment, request)
        return signed | {
            "authorization": f"{_ALGORITHM} Credential={self._name_identity(moment)}, SignedHeaders={names}, "
            f"Signature={signature}"
        }

    def presign_get(self, url: str, seconds: int, now: float) -> str:
        """The address under which anybody may GET what is at another, for some seconds."""
        moment = _format_moment(now)
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": self._name_identity(moment),
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        }
        if self.credentials.token:
            parameters["X-Amz-Security-Token"] = self.credentials.token
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        address = f"{url}{'&' if urlsplit(url).query else '?'}{query}"
        _, request = _canonicalize("GET", address, {}, _UNSIGNED_PAYLOAD)
        return f"{address}&X-Amz-Signature={self._sign(moment, request)}"

    def _sign(self, moment: str, request: str) -> str:
        scope = self._name_scope(moment)
        text = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = f"AWS4{self.credentials.secret}".encode()
        for part in scope.split("/"):
            key = _authenticate(key, part)
        return _authenticate(key, text).hex()

    def _name_identity(self, moment: str) -> str:
        return f"{self.credentials.key_id}/{self._name_scope(moment)}"

    def _name_scope(self, moment: str) -> str:
        return f"{moment[:8]}/{self.region}/{self.service}/aws4_request"


def _canonicalize(method: str, url: str, headers: Mapping[str, str], payload_hash: str) -> tuple[str, str]:
    """The names of the headers that are signed, and the text that stands for the request."""
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])
    values = sorted((name.lower(), " ".join(value.split())) for name, value in {**headers, "host": host}.items())
    names = ";".join(name for name, _ in values)
    lines = "".join(f"{name}:{value}\n" for name, value in values)
    # S3 takes the path as it is sent; other services want it encoded once more.
    return names, "\n".join([method, parts.path or "/", _sort_query(parts.query), lines, names, payload_hash])


def _sort_query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _authenticate(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _format_moment(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
