"""Files of captured requests, read: SageMaker's JSON Lines; standard library only.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.drift.profiles import Profile

_BASE64: Final = "BASE64"
_CSV: Final = "text/csv"


class CapturedLineError(Exception):
    """A line that is not a captured request, or not one of rows; the message says why."""


@dataclass(frozen=True)
class CapturedRequest:
    """A request that was answered.

    Args:
        time: When, as written: `2026-11-29T08:00:00Z`.
        id: What its sender called it; empty for nothing.
        rows: Its rows, cell by cell.
        answers: What each row was answered with, as text; empty where that was not captured or cannot be read.
    """

    time: str
    id: str
    rows: Sequence[Sequence[str]]
    answers: Sequence[str]


@dataclass
class CapturedRows:
    """What files of captured requests hold.

    Args:
        requests: Those that could be read.
        unread: How many lines could not be, by why.
    """

    requests: list[CapturedRequest] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> list[Sequence[str]]:
        """The rows of all requests."""
        return [row for request in self.requests for row in request.rows]


def read_captured(
    lines: Iterable[bytes], profile: Profile, counts: Callable[[CapturedRequest], bool] | None = None
) -> CapturedRows:
    """What lines of captured requests hold; a line that cannot be read does not end the work on the others.

    Args:
        lines: The lines of all files.
        profile: How many cells a row has, and what a header would be.
        counts: Which requests are kept in memory; None for all.
    """
    found = CapturedRows()
    for line in lines:
        if not line.strip():
            continue
        try:
            request = _read_line(line, profile)
        except CapturedLineError as error:
            found.unread[str(error)] = found.unread.get(str(error), 0) + 1
            continue
        if counts is None or counts(request):
            found.requests.append(request)
    return found


def _read_line(line: bytes, profile: Profile) -> CapturedRequest:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        raise CapturedLineError("is not JSON") from None
    captured, metadata = _take(content, "captureData"), _take(content, "eventMetadata")
    rows = [*_read_rows(_read_body(_take(captured, "endpointInput")), profile)]
    return CapturedRequest(
        str(metadata.get("inferenceTime", "")),
        str(metadata.get("inferenceId", "")),
        rows,
        _read_answers(captured.get("endpointOutput"), len(rows)),
    )


def _read_answers(output: Any, count: int) -> Sequence[str]:
    """The answers to so many rows; none where they cannot be read, because the rows say as much without them."""
    try:
        answers = _read_body(output).split() if isinstance(output, Mapping) else []
    except CapturedLineError:
        return []
    return answers if len(answers) == count else []


def _take(content: Any, key: str) -> Mapping[str, Any]:
    value = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(value, Mapping):
        raise CapturedLineError(f'has no "{key}"')
    return value


def _read_body(side: Mapping[str, Any]) -> str:
    if str(side.get("observedContentType", "")).partition(";")[0].strip().lower() != _CSV:
        raise CapturedLineError("is not of rows in CSV")
    data = side.get("data")
    if not isinstance(data, str):
        raise CapturedLineError('has no "data"')
    if side.get("encoding") != _BASE64:
        return data
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        raise CapturedLineError("has data that is not base64 of text") from None


def _read_rows(text: str, profile: Profile) -> Iterator[Sequence[str]]:
    width = len(profile.columns)
    try:
        for row in csv.reader(io.StringIO(text), strict=True):
            if not row or tuple(cell.strip() for cell in row) == profile.names:
                continue
            if len(row) != width:
                raise CapturedLineError(f"has a row of {len(row)} cells instead of {width}")
            yield row
    except csv.Error:
        raise CapturedLineError("is not of rows in CSV") from None
