"""Errors in the protocol of the caller, so that its SDK or command line shows the reason."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final
from xml.sax.saxutils import escape

from headrace.local.engine.signatures import Fault, SentRequest

HttpAnswer = tuple[int, dict[str, str], bytes]

HOW_TO_GET_THE_KEY: Final = (
    """the local cloud makes a new key each time it starts; take it with eval "$(headrace local up)\""""
)
BAD_REQUEST: Final = 400
# How maps of few members begin, and those of unknown length.
_CBOR_MAP: Final = tuple(bytes([first]) for first in (*range(0xA0, 0xB8), 0xBF))
_SCOPE: Final = re.compile(r"(?:Credential=)?[^/,\s]+/\d{8}/[^/]*/([^/]+)/aws4_request")
_REST_XML: Final = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda", "cloudfront", "route53"})


class ServiceRefusedError(Exception):
    """What a service answers to a request that it does not take.

    Args:
        code: The error's name.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class WireFormat(StrEnum):
    """How a service writes its errors."""

    S3 = "s3"
    XML = "xml"
    QUERY = "query"
    EC2 = "ec2"
    JSON = "json"
    REST_JSON = "rest-json"
    CBOR = "cbor"


# What a fault is called: by S3, by services that answer in XML, by those that answer in JSON.
_CODES: Final[Mapping[Fault, tuple[str, str, str]]] = {
    Fault.MISSING: ("AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    Fault.MALFORMED: ("AuthorizationHeaderMalformed", "IncompleteSignature", "IncompleteSignatureException"),
    Fault.UNKNOWN_KEY: ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"),
    Fault.WRONG_TOKEN: ("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"),
    Fault.EXPIRED_TOKEN: ("ExpiredToken", "ExpiredToken", "ExpiredTokenException"),
    Fault.WRONG_SIGNATURE: ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"),
    Fault.OTHER_BODY: ("XAmzContentSHA256Mismatch", "SignatureDoesNotMatch", "InvalidSignatureException"),
    Fault.SKEWED_CLOCK: ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"),
    Fault.EXPIRED_ADDRESS: ("AccessDenied", "SignatureDoesNotMatch", "InvalidSignatureException"),
}
_BAD_REQUESTS_OF_S3: Final = frozenset(
    {Fault.MALFORMED, Fault.WRONG_TOKEN, Fault.EXPIRED_TOKEN, Fault.OTHER_BODY},
)


def find_service(request: SentRequest) -> str:
    """The service that a request was signed for, or nothing."""
    scope = request.headers.get("authorization", "") or request.parameter("X-Amz-Credential")
    found = _SCOPE.search(scope)
    return found[1] if found else ""


def find_wire_format(request: SentRequest) -> WireFormat:
    """How the caller wants to be answered."""
    headers, service = request.headers, find_service(request)
    if "cbor" in headers.get("smithy-protocol", "") or "cbor" in headers.get("content-type", ""):
        return WireFormat.CBOR
    if "x-amz-target" in headers or "amz-json" in headers.get("content-type", ""):
        return WireFormat.JSON
    if "x-www-form-urlencoded" in headers.get("content-type", "") or request.parameter("Action"):
        return WireFormat.EC2 if service == "ec2" else WireFormat.QUERY
    return _find_rest_format(request, service)


def _find_rest_format(request: SentRequest, service: str) -> WireFormat:
    if service in _REST_XML:
        return WireFormat.S3 if service.startswith("s3") else WireFormat.XML
    is_named = service or request.path.startswith("/_aws/")
    return WireFormat.REST_JSON if is_named or "json" in request.headers.get("content-type", "") else WireFormat.S3


def refuse_signature(request: SentRequest, fault: Fault, message: str) -> HttpAnswer:
    """A service's own answer to a request whose signature is wrong."""
    wire_format = find_wire_format(request)
    of_s3, of_xml, of_json = _CODES[fault]
    if fault in (Fault.MISSING, Fault.UNKNOWN_KEY):
        message = f"{message.rstrip('.')}: {HOW_TO_GET_THE_KEY}"
    if wire_format == WireFormat.S3:
        return write_error(wire_format, of_s3, message, 400 if fault in _BAD_REQUESTS_OF_S3 else 403)
    if wire_format == WireFormat.EC2:
        return write_error(wire_format, "AuthFailure", message, 401)
    if wire_format in (WireFormat.XML, WireFormat.QUERY):
        return write_error(wire_format, of_xml, message, 403)
    return write_error(wire_format, of_json, message, 403 if wire_format == WireFormat.REST_JSON else 400)


def refuse_service(request: SentRequest, served: Iterable[str]) -> HttpAnswer:
    """The answer to a request for a service that the local cloud lacks."""
    reason = f"The local cloud does not serve {find_service(request)}. It serves: {', '.join(sorted(served))}."
    return refuse_operation(request, reason)


def refuse_operation(request: SentRequest, reason: str) -> HttpAnswer:
    """The answer to a request for what the local cloud lacks."""
    wire_format = find_wire_format(request)
    code = "InvalidAction" if wire_format in _ENVELOPES else "UnknownOperationException"
    return write_error(wire_format, code, reason, BAD_REQUEST)


def is_silent(request: SentRequest, answer: HttpAnswer) -> bool:
    """Whether an answer is an error whose reason the caller's SDK cannot read."""
    status, _, body = answer
    if status < BAD_REQUEST:
        return False
    if find_wire_format(request) == WireFormat.CBOR:
        return not body.startswith(_CBOR_MAP)
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and not any(told.get(name) for name in ("message", "Message", "errorMessage"))


def write_error(wire_format: WireFormat, code: str, message: str, status: int) -> HttpAnswer:
    """An error in a format."""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-requestid": request_id, "x-amz-request-id": request_id, "Content-Type": "text/xml"}
    if wire_format == WireFormat.CBOR:
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, headers, _write_cbor({"__type": code, "message": message})
    if wire_format in _ENVELOPES:
        error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        return status, headers, _ENVELOPES[wire_format].format(error=error, id=request_id).encode()
    headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


_ENVELOPE_OF_QUERIES: Final = (
    "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{id}</RequestId></ErrorResponse>"
)
_ENVELOPES: Final[Mapping[WireFormat, str]] = {
    WireFormat.S3: '<?xml version="1.0" encoding="UTF-8"?>\n<Error>{error}<RequestId>{id}</RequestId></Error>',
    WireFormat.XML: _ENVELOPE_OF_QUERIES,
    WireFormat.QUERY: _ENVELOPE_OF_QUERIES,
    WireFormat.EC2: "<Response><Errors><Error>{error}</Error></Errors><RequestID>{id}</RequestID></Response>",
}


def _write_cbor(texts: Mapping[str, str]) -> bytes:
    return bytes([0xA0 | len(texts)]) + b"".join(_write_text(text) for pair in texts.items() for text in pair)


def _write_text(text: str) -> bytes:
    """Major type 3 of RFC 8949, its length in two bytes."""
    encoded = text.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded
