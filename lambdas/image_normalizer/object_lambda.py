"""The S3 Object Lambda door: GET and HEAD through an Object Lambda access point; lists come from S3 itself.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-writing-lambda.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from headrace.normalizer.errors import BadOptionError
from headrace.transformations.transformation import Transformation

from .connections import Connections
from .failures import RefusalError, explain
from .metrics import Outcome
from .normalized_images import Maker, NormalizedImage
from .originals import AccessPoint, PresignedAddress, read_key
from .ranges import read_range
from .s3 import S3, Reply

GET_CONTEXT = "getObjectContext"
HEAD_CONTEXT = "headObjectContext"

# The one that clients verify by themselves.
_CHECKSUM_HEADER = "x-amz-checksum-crc32"

Event = Mapping[str, Any]


class ObjectLambdaDoor(NamedTuple):
    """Answers the events of S3 Object Lambda.

    Args:
        s3: Takes the replies.
        connections: For the addresses in the events.
        source: Where HEAD reads the photograph itself: its address in the event leads to the original only.
        maker: Makes normalized images.
    """

    s3: S3
    connections: Connections
    source: AccessPoint
    maker: Maker

    def answer(self, event: Event) -> tuple[dict[str, Any], Outcome]:
        """What Lambda returns to S3, and what became of the request."""
        return self._answer_get(event) if GET_CONTEXT in event else self._answer_head(event)

    def _answer_get(self, event: Event) -> tuple[dict[str, Any], Outcome]:
        context = event[GET_CONTEXT]
        try:
            options, headers = self._read_options(event), event["userRequest"]["headers"]
            with PresignedAddress(self.connections, context["inputS3Url"], headers).open() as original:
                normalized = self.maker.make(original, options)
            reply = _describe_normalized_image(normalized, headers)
            outcome = Outcome(status=reply.status, is_cached=normalized.is_cached)
        except Exception as error:  # noqa: BLE001 - without a reply, the caller waits for a minute
            failure = explain(error)
            reply = _describe_failure(failure)
            outcome = Outcome(status=failure.status, code=failure.code)
        self._send(context, reply)
        return {"status_code": int(HTTPStatus.OK)}, outcome

    def _send(self, context: Mapping[str, str], reply: Reply) -> None:
        try:
            self.s3.write_get_object_response(context["outputRoute"], context["outputToken"], reply)
        except Exception as error:
            if isinstance(error, RefusalError) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            # Not this reply, but perhaps one that says so.
            failure = _describe_failure(explain(error))
            self.s3.write_get_object_response(context["outputRoute"], context["outputToken"], failure)

    def _answer_head(self, event: Event) -> tuple[dict[str, Any], Outcome]:
        """What GET would say of the normalized image, for a caller who may read the original."""
        try:
            url, headers = event[HEAD_CONTEXT]["inputS3Url"], event["userRequest"]["headers"]
            options = self._read_options(event)
            etag = PresignedAddress(self.connections, url, headers).check()
            with self.source.open(read_key(url), etag) as original:
                normalized = self.maker.make(original, options)
        except Exception as error:  # noqa: BLE001 - what S3 does not understand it answers with its own failure
            failure = explain(error)
            refusal = {"statusCode": failure.status, "errorCode": failure.code, "errorMessage": failure.reason}
            return refusal, Outcome(status=failure.status, code=failure.code)
        return _describe_head(normalized), Outcome(status=HTTPStatus.OK, is_cached=normalized.is_cached)

    def _read_options(self, event: Event) -> Any:
        return read_options(self.maker.transformation, event)


def read_options(transformation: Transformation, event: Event) -> Any:
    """The access point's own options, and above them those that the request's query names."""
    # The address is decoded, so a key's own '?' and '#' look like those of an address.
    _, mark, query = event["userRequest"]["url"].rpartition("?")
    asked = parse_qsl(query, keep_blank_values=True) if mark else []
    names = {field.name for field in fields(transformation.options)}
    asked_options = _collect((name, value) for name, value in asked if name in names)
    return transformation.parse_options(_read_payload(event["configuration"].get("payload")) | asked_options)


def _read_payload(payload: str | None) -> dict[str, str]:
    """The access point's own options, which somebody may have edited by hand."""
    try:
        found = json.loads(payload or "{}", object_pairs_hook=list, parse_int=str, parse_float=str)
    except ValueError:
        found = None
    if not (isinstance(found, list) and all(isinstance(pair, tuple) for pair in found)):
        raise BadOptionError("the access point's configuration holds no options: its payload is not an object of JSON")
    for name, value in found:
        if not isinstance(value, str):
            raise BadOptionError(f"{name} is neither a text nor a number in the access point's configuration")
    return _collect(found)


def _collect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in pairs:
        if name in options:
            raise BadOptionError(f"{name} is given twice")
        options[name] = value
    return options


def _describe_normalized_image(normalized: NormalizedImage, request_headers: Mapping[str, str]) -> Reply:
    headers = normalized.headers
    lower = {name.lower(): value for name, value in request_headers.items()}
    part = read_range(lower, len(normalized.body), normalized.etag)
    if part:
        headers["Content-Range"] = part.describe(len(normalized.body))
        return Reply(HTTPStatus.PARTIAL_CONTENT, headers, part.cut(normalized.body))
    headers[_CHECKSUM_HEADER] = normalized.crc32
    return Reply(HTTPStatus.OK, headers, normalized.body)


def _describe_head(normalized: NormalizedImage) -> dict[str, Any]:
    return {"statusCode": int(HTTPStatus.OK), "headers": {**normalized.headers, "Content-Length": len(normalized.body)}}


def _describe_failure(failure: RefusalError) -> Reply:
    # The message travels in a header, which is one line of ASCII.
    message = " ".join(failure.reason.encode("ascii", "replace").decode().split())
    return Reply(failure.status, error=(failure.code, message))
