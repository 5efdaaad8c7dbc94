"""Requests that end without a normalized image, in the words of HTTP and S3."""

import re
import sys
import traceback
from http import HTTPStatus

from headrace.normalizer.contract import ErrorCode
from headrace.normalizer.errors import NormalizeError

# S3 Object Lambda passes on these and no others:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_WriteGetObjectResponse.html
_STATUSES = frozenset({200, 206, 304, 400, 401, 403, 404, 405, 409, 411, 412, 416, 500, 503})
_CODE = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,500})</Message>")
# Accounts, roles, keys and buckets must not reach the caller who asks for a normalized image.
_CONFIDENTIAL = re.compile(r"arn:|\b[0-9]{12}\b")
_DENIED = "S3 does not let this photograph be read"
# All that XML has; the last one makes no new ones of them.
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_CODES: dict[int, str] = {
    HTTPStatus.NOT_MODIFIED: "NotModified",
    HTTPStatus.FORBIDDEN: "AccessDenied",
    HTTPStatus.NOT_FOUND: "NoSuchKey",
    HTTPStatus.PRECONDITION_FAILED: ErrorCode.OBJECT_CHANGED,
}


class RefusalError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        code: The error's name, as S3 names errors.
        reason: What is wrong, for the person who asked.
    """

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = int(status)
        self.code = str(code)
        self.reason = reason


def explain(error: Exception) -> RefusalError:
    """The answer to what was raised on the way: photographs and options that are refused are the caller's mistake.

    Anything else is ours. The log has all of it, the caller only that asking again does not help.
    """
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, NormalizeError):
        return RefusalError(error.status, error.code, error.reason)
    sys.stderr.write("".join(traceback.format_exception(error)))
    reason = f"the normalizer has failed: {type(error).__name__}; see its log"
    return RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, ErrorCode.FAILED, reason)


def pass_on(status: int, code: str, reason: str) -> RefusalError:
    """The answer where S3 itself has refused; what S3 could not do at the moment may be asked again."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code = ErrorCode.SLOW_DOWN if code == ErrorCode.SLOW_DOWN else ErrorCode.SOURCE_UNAVAILABLE
        return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, code, reason)
    return RefusalError(status if status in _STATUSES else HTTPStatus.BAD_REQUEST, code, reason)


def read_s3_error(status: int, document: bytes) -> RefusalError:
    """The answer to an error that S3 has put as XML; answers to HEAD have none."""
    code, message = _CODE.search(document), _MESSAGE.search(document)
    name = code[1].decode() if code else _CODES.get(status, "InvalidRequest")
    return pass_on(status, name, _choose_reason(status, name, message and _decode_text(message[1])))


def _choose_reason(status: int, code: str, text: str | None) -> str:
    """S3's own words, unless they give away too much; the log has them then."""
    if text and code != _CODES[HTTPStatus.FORBIDDEN] and not _CONFIDENTIAL.search(text):
        return text
    if text:
        sys.stderr.write(f"S3 answered {status}: {text}\n")
    return _DENIED if status == HTTPStatus.FORBIDDEN else f"S3 answered {status}"


def _decode_text(text: bytes) -> str:
    decoded = text.decode(errors="replace")
    for entity, character in _ENTITIES.items():
        decoded = decoded.replace(entity, character)
    return decoded
