"""Byte ranges, as HTTP has them: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from headrace.normalizer.contract import ErrorCode

from .failures import RefusalError

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})")


class ByteRange(NamedTuple):
    """A part of a normalized image, both ends included."""

    first: int
    last: int

    def cut(self, body: bytes) -> bytes:
        """The part of a normalized image's bytes."""
        return body[self.first : self.last + 1]

    def describe(self, length: int) -> str:
        """The `Content-Range` header for a normalized image of this many bytes."""
        return f"bytes {self.first}-{self.last}/{length}"


def read_range(headers: Mapping[str, str], length: int, etag: str) -> ByteRange | None:
    """The part that these headers ask for, by names in lower case, or None for the whole normalized image.

    With `If-Range` the part is wanted of the normalized image that the caller knows, otherwise all of the new one.

    Raises:
        RefusalError: If a normalized image of this many bytes has no such part.
    """
    return parse_range(headers.get("range"), length) if headers.get("if-range", etag) == etag else None


def parse_range(header: str | None, length: int) -> ByteRange | None:
    """The part that a `Range` header asks for, or None where the whole is the answer, as for several ranges.

    Raises:
        RefusalError: If a normalized image of this many bytes has no such part.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if not found or not (found["first"] or found["last"]):
        return None
    if found["first"]:
        first, last = int(found["first"]), int(found["last"] or length - 1)
        if found["last"] and last < first:
            return None
    else:
        first, last = max(0, length - int(found["last"])), length - 1
    if first >= length:
        raise RefusalError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            ErrorCode.BAD_RANGE,
            f"the normalized image has {length} bytes, the range is {header}",
        )
    return ByteRange(first, min(last, length - 1))
