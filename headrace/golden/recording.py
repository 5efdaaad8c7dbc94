"""Golden requests, recorded: questions from files, with the answers that a model gives now; standard library only."""

import csv
import io
import json
import mimetypes
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from headrace.errors import as_shown
from headrace.golden.answers import UnansweredError, find_wrong
from headrace.golden.requests import MOST_BODY_BYTES, GoldenRequest, GoldenRequestError, parse_requests

_CSV: Final = "text/csv"
_JSON: Final = "application/json"
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID: Final = 64


@dataclass(frozen=True)
class Unanswered:
    """A question without an answer that could be expected again, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Recording:
    """Questions with their answers, and those that have none."""

    requests: Sequence[GoldenRequest]
    unanswered: Sequence[Unanswered]


def read_questions(path: Path, content: bytes, *, tolerance: float, has_header: bool = True) -> list[GoldenRequest]:
    """The questions of a file, which expect nothing yet.

    Args:
        path: Its name, which says what it holds: rows (.csv), a photograph (.jpg, .png, …), or else golden requests,
            whose `expected` may be left out.
        content: What is in it.
        tolerance: How far numbers may be off, for questions that do not say so themselves.
        has_header: Whether the first line of a CSV file names the columns; it is then sent before each row.

    Raises:
        GoldenRequestError: If there are none, or one cannot be sent.
    """
    kind = mimetypes.guess_type(path.name)[0] or ""
    if kind == _CSV:
        return list(_read_rows(path, content, tolerance, has_header=has_header))
    if kind.startswith("image/"):
        if len(content) > MOST_BODY_BYTES:
            raise GoldenRequestError(f"{path}: {len(content)} bytes; an endpoint takes at most {MOST_BODY_BYTES}")
        return [_ask(_make_id(path.stem), kind, _JSON, content, tolerance)]
    return parse_requests(content, path, assumed={"expected": None, "tolerance": tolerance})


def record(questions: Iterable[GoldenRequest], send: Callable[[GoldenRequest], bytes]) -> Recording:
    """Ask each question, and keep the answer as the expected one.

    Args:
        questions: What to send.
        send: Sends one and returns the body of its answer, or raises UnansweredError.
    """
    requests, unanswered = [], []
    for question in questions:
        try:
            requests.append(_keep(question, send(question)))
        except UnansweredError as error:
            unanswered.append(Unanswered(question.id, as_shown(error)))
    return Recording(requests, unanswered)


def render_requests(requests: Sequence[GoldenRequest], place: object) -> bytes:
    """The file of golden requests.

    Raises:
        GoldenRequestError: If it would not be one: two of one id, too many, too large.
    """
    content = "".join(f"{request.render()}\n" for request in requests).encode()
    parse_requests(content, place)
    return content


def _keep(question: GoldenRequest, body: bytes) -> GoldenRequest:
    try:
        text = body.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UnansweredError("the answer is not text; accept another media type") from None
    request = replace(question, expected=_read_value(text))
    # NaN, for one, is not even like itself.
    if find_wrong([request], lambda _: body):
        raise UnansweredError(f"the answer could never be given again: {text[:60]}")
    return request


def _read_value(text: str) -> Any:
    """The value of a JSON document; text where it is anything else, such as lines of numbers."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _read_rows(path: Path, content: bytes, tolerance: float, *, has_header: bool) -> Iterator[GoldenRequest]:
    try:
        rows = list(filter(None, csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise GoldenRequestError(f"{path}: is not CSV in UTF-8: {error}") from None
    header, rows = (rows[:1], rows[1:]) if has_header else ([], rows)
    if not rows:
        raise GoldenRequestError(f"{path}: has no rows{' below its header' if header else ''}")
    for number, row in enumerate(rows, start=1):
        yield _ask(_make_id(f"{path.stem}-{number}"), _CSV, _CSV, _write_csv([*header, row]), tolerance)


def _write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _ask(name: str, content_type: str, accept: str, body: bytes, tolerance: float) -> GoldenRequest:
    return GoldenRequest(
        id=name, content_type=content_type, accept=accept, body=body, expected=None, tolerance=tolerance
    )


def _make_id(name: str) -> str:
    return _NOT_IN_IDS.sub("-", name)[-_LONGEST_ID:]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
