"""Golden requests, read from JSON Lines; standard library only.

A line is a request: its id, its body as text or in Base64, the media types of body and answer, the expected answer, and
how far numbers may be off it. A sample, two lines:

    {"id":"juice","content_type":"text/csv","accept":"text/csv","body":"FDW58,20.75,…","expected":"1743.06","tolerance":0.2}
    {"id":"cat","content_type":"image/jpeg","accept":"application/json","body_base64":"/9j/4AAQ…","expected":{"label":"cat"}}
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NoReturn

from headrace.errors import HeadraceError, as_shown

MOST_REQUESTS: Final = 100
# So many requests go to an endpoint again and again while it is updated.
MOST_BYTES: Final = 16 * 2**20
# What InvokeEndpoint takes.
MOST_BODY_BYTES: Final = 6 * 2**20
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MEDIA_TYPE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?")
_REQUIRED: Final = frozenset({"id", "content_type", "expected"})
_KEYS: Final = _REQUIRED | {"accept", "body", "body_base64", "tolerance"}


class GoldenRequestError(HeadraceError):
    """Golden requests that cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, kw_only=True)
class GoldenRequest:
    """A request, and what every good model answers.

    Args:
        id: What it is called.
        content_type: The media type of its body.
        accept: That of the answer.
        body: Its body.
        expected: The answer: text as the model writes it, or the value of its JSON.
        tolerance: How far a number may be off the expected one: by so much, or by that share of it if this is more.
    """

    id: str
    content_type: str
    accept: str
    body: bytes
    expected: Any
    tolerance: float

    def render(self) -> str:
        """Its line, without a line feed."""
        try:
            body = {"body": self.body.decode()}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode()}
        line = {
            "id": self.id,
            "content_type": self.content_type,
            "accept": self.accept,
            **body,
            "expected": self.expected,
            "tolerance": self.tolerance,
        }
        return json.dumps(line, ensure_ascii=False)


def parse_requests(
    text: bytes, place: object, assumed: Mapping[str, Any] = MappingProxyType({})
) -> list[GoldenRequest]:
    """The requests of a file.

    Args:
        text: What is in it.
        place: What it is called in errors.
        assumed: What lines say that leave it out.

    Raises:
        GoldenRequestError: If there are none, too many, two of one id, or one that cannot be sent.
    """
    if len(text) > MOST_BYTES:
        raise GoldenRequestError(f"{place}: more than {MOST_BYTES >> 20} MiB; keep fewer or smaller requests")
    requests = list(_parse_lines(text, place, assumed))
    if not requests:
        raise GoldenRequestError(f"{place}: has no requests; docs/serving.md says how they look")
    if len(requests) > MOST_REQUESTS:
        raise GoldenRequestError(f"{place}: {len(requests)} requests; keep at most {MOST_REQUESTS}")
    ids = [request.id for request in requests]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise GoldenRequestError(f"{place}: '{twice[0]}' occurs twice; give each request its own id")
    return requests


def _parse_lines(text: bytes, place: object, assumed: Mapping[str, Any]) -> Iterator[GoldenRequest]:
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.strip():
            try:
                yield parse_request(line, assumed)
            except GoldenRequestError as error:
                raise GoldenRequestError(f"{place}, line {number}: {error}") from None


def parse_request(line: bytes, assumed: Mapping[str, Any] = MappingProxyType({})) -> GoldenRequest:
    """What one line says, apart from what is assumed where it leaves that out.

    Raises:
        GoldenRequestError: If it is not a request.
    """
    try:
        said = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise GoldenRequestError(f"is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise GoldenRequestError("is not a JSON object")
    said = {**assumed, **said}
    _check_keys(said)
    tolerance = said.get("tolerance", 0)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < float("inf"):
        raise GoldenRequestError(f"tolerance: found {json.dumps(tolerance)[:40]}; give a number that is not negative")
    return GoldenRequest(
        id=_read_text(said, "id", _ID, "1 to 64 letters, digits, dots, hyphens and underscores"),
        content_type=_read_text(said, "content_type", _MEDIA_TYPE, "a media type such as text/csv"),
        accept=_read_text({"accept": "*/*", **said}, "accept", _MEDIA_TYPE, "a media type such as text/csv"),
        body=_read_body(said),
        expected=said["expected"],
        tolerance=float(tolerance),
    )


def _check_keys(said: Mapping[str, Any]) -> None:
    if others := sorted(said.keys() - _KEYS):
        raise GoldenRequestError(f"{as_shown(others[0][:40])}: unknown key; allowed: {', '.join(sorted(_KEYS))}")
    if missing := sorted(_REQUIRED - said.keys()):
        raise GoldenRequestError(f"{missing[0]}: missing")
    if ("body" in said) == ("body_base64" in said):
        raise GoldenRequestError("give either body, which is text, or body_base64")


def _read_text(said: Mapping[str, Any], key: str, pattern: re.Pattern[str], allowed: str) -> str:
    found = said[key]
    if not isinstance(found, str) or not pattern.fullmatch(found):
        raise GoldenRequestError(f"{key}: found {as_shown(json.dumps(found)[:40])}; allowed: {allowed}")
    return found


def _read_body(said: Mapping[str, Any]) -> bytes:
    key = "body" if "body" in said else "body_base64"
    found = said[key]
    if not isinstance(found, str):
        raise GoldenRequestError(f"{key}: is not text")
    try:
        body = found.encode() if key == "body" else base64.b64decode(found, validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise GoldenRequestError(f"{key}: {error}") from None
    if len(body) > MOST_BODY_BYTES:
        raise GoldenRequestError(f"{key}: {len(body)} bytes; an endpoint takes at most {MOST_BODY_BYTES}")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
