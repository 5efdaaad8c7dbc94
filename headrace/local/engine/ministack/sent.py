"""The condition keys that a request's signature and headers give, whatever service it goes to."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

# Loopback counts as TLS, in the newest version.
_TLS: Final = "1.3"


def describe_sent(evaluator: Any, key: str) -> str | None:
    """The value of a condition key of the request that is being served; nothing for others.

    https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html

    Args:
        evaluator: MiniStack's, which keeps the request.
        key: The condition key, in lower case.
    """
    sent = evaluator._signed_request.get()
    return None if sent is None or key not in _GIVEN else _GIVEN[key](sent)


def _measure_age(sent: Any) -> str | None:
    """How many milliseconds ago an address was presigned."""
    given = sent.query_params.get("X-Amz-Date", [""])[0] if sent.presigned else ""
    if not given:
        return None
    signed = datetime.strptime(given, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return str(round((datetime.now(UTC) - signed).total_seconds() * 1000))


_GIVEN: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "aws:referer": lambda sent: sent.headers.get("referer"),
    "aws:useragent": lambda sent: sent.headers.get("user-agent"),
    "s3:authtype": lambda sent: "REST-QUERY-STRING" if sent.presigned else "REST-HEADER",
    "s3:signatureage": _measure_age,
    "s3:signatureversion": lambda sent: "AWS" if sent.sigv2 else "AWS4-HMAC-SHA256",
    "s3:tlsversion": lambda _: _TLS,
    "s3:x-amz-content-sha256": lambda sent: sent.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
}
