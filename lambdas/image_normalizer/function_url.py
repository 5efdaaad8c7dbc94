"""The function URL door: `GET /KEY?width=…`, signed for AWS.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote

from headrace.normalizer.contract import ErrorCode

from .cache import CacheError, NormalizedImageCache
from .contract import MAX_INLINE_BYTES
from .failures import RefusalError, explain
from .metrics import Outcome
from .normalized_images import Maker, NormalizedImage
from .originals import AccessPoint
from .ranges import read_range

REQUEST_CONTEXT = "requestContext"

Event = Mapping[str, Any]
Answer = dict[str, Any]


class FunctionUrlDoor(NamedTuple):
    """Answers the events of the function URL.

    Args:
        source: Where photographs are read.
        store: Where normalized images go that are too large for an answer.
        maker: Makes normalized images.
    """

    source: AccessPoint
    store: NormalizedImageCache
    maker: Maker

    def answer(self, event: Event) -> tuple[Answer, Outcome]:
        """What Lambda answers the caller, and what became of the request."""
        method = event[REQUEST_CONTEXT]["http"]["method"]
        try:
            normalized = self._make_normalized_image(event, method)
            headers = {name.lower(): value for name, value in event["headers"].items()}
            answer = self._choose_answer(normalized, method, headers)
        except Exception as error:  # noqa: BLE001 - every caller gets an answer
            failure = explain(error)
            return _send_failure(failure), Outcome(status=failure.status, code=failure.code)
        return answer, Outcome(status=answer["statusCode"], is_cached=normalized.is_cached)

    def _make_normalized_image(self, event: Event, method: str) -> NormalizedImage:
        if method not in {"GET", "HEAD"}:
            raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, ErrorCode.METHOD_NOT_ALLOWED, f"{method} is not answered")
        key = unquote(event["rawPath"]).removeprefix("/")
        if not key:
            raise RefusalError(HTTPStatus.BAD_REQUEST, ErrorCode.NO_KEY, "the path names no photograph: GET /KEY")
        options = self.maker.transformation.parse_options(event.get("queryStringParameters") or {})
        if self.maker.cache:
            return self.maker.make(self.source.find(key), options)
        with self.source.open(key) as original:
            return self.maker.make(original, options)

    def _choose_answer(self, normalized: NormalizedImage, method: str, headers: Mapping[str, str]) -> Answer:
        known = headers.get("if-none-match", "")
        if known.strip() == "*" or normalized.etag in known:
            return _describe(HTTPStatus.NOT_MODIFIED, normalized, {})
        if method == "HEAD":
            return _describe(HTTPStatus.OK, normalized, {"Content-Length": str(len(normalized.body))})
        part = read_range(headers, len(normalized.body), normalized.etag)
        body = part.cut(normalized.body) if part else normalized.body
        if len(body) > MAX_INLINE_BYTES:
            return self._redirect(normalized)
        if part:
            headers = {"Content-Range": part.describe(len(normalized.body))}
            return _send(body, _describe(HTTPStatus.PARTIAL_CONTENT, normalized, headers))
        return _send(body, _describe(HTTPStatus.OK, normalized, {}))

    def _redirect(self, normalized: NormalizedImage) -> Answer:
        if not (self.maker.cache and normalized.is_cached):
            try:
                self.store.put(normalized.name, normalized.body, normalized.media_type)
            except CacheError as error:
                reason = "the normalized image is too large for an answer and could not be kept; try again"
                raise RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, ErrorCode.SOURCE_UNAVAILABLE, reason) from error
        headers = {"Location": self.store.sign_url(normalized.name), "Cache-Control": "no-store"}
        return {"statusCode": int(HTTPStatus.SEE_OTHER), "headers": headers}


def _describe(status: HTTPStatus, normalized: NormalizedImage, headers: dict[str, str]) -> Answer:
    return {"statusCode": int(status), "headers": normalized.headers | headers}


def _send(body: bytes, answer: Answer) -> Answer:
    return {**answer, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _send_failure(failure: RefusalError) -> Answer:
    return {
        "statusCode": failure.status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": json.dumps({"code": failure.code, "message": failure.reason}),
    }
