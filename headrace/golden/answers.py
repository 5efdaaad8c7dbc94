"""Whether a model's answers are the expected ones; standard library only."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.errors import as_shown
from headrace.golden.requests import GoldenRequest

# SageMaker shows the first 1,024 characters of why a job has failed.
_MOST_NAMED: Final = 5
_MOST_SHOWN: Final = 60


class UnansweredError(Exception):
    """A request that was not answered with a prediction; the message says how instead."""


@dataclass(frozen=True)
class Wrong:
    """A request whose answer is not the expected one, and why.

    Args:
        request: The request.
        reason: Why, in a few words.
        problem: What there is instead of a prediction; empty where there is one.
        found: What the prediction says; None where there is none.
    """

    request: GoldenRequest
    reason: str
    problem: str = ""
    found: Any = None

    @property
    def id(self) -> str:
        """What the request is called."""
        return self.request.id


def find_wrong(requests: Iterable[GoldenRequest], send: Callable[[GoldenRequest], bytes]) -> list[Wrong]:
    """Send each request, and return those that are not answered as expected.

    Args:
        requests: What to send.
        send: Sends one and returns the body of its answer, or raises UnansweredError.
    """
    return [wrong for request in requests if (wrong := _judge(request, send))]


def describe(wrong: Sequence[Wrong], count: int) -> str:
    """What is wrong, in one sentence, with the first requests by their ids."""
    named = [f"{each.id} {each.reason}" for each in wrong[:_MOST_NAMED]]
    more = [f"and {len(wrong) - _MOST_NAMED} more"] if len(wrong) > _MOST_NAMED else []
    return f"{len(wrong)} of {count} golden requests are not answered as expected: {'; '.join([*named, *more])}"


def read_answer(body: bytes) -> Any:
    r"""What an answer says: the value of its JSON, or else its lines, each with its cells.

    Example:
        >>> read_answer(b"1743.06\n12,low\n")
        [1743.06, [12, 'low']]
    """
    text = body.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        lines = [_read_line(line) for line in text.splitlines()]
        return lines[0] if len(lines) == 1 else lines


def read_expected(request: GoldenRequest) -> Any:
    """What the expected answer says, to be compared with what an answer says."""
    return read_answer(request.expected.encode()) if isinstance(request.expected, str) else request.expected


def is_like(expected: Any, found: Any, tolerance: float) -> bool:
    """Whether two values are the same, apart from numbers that are off by no more than the tolerance."""
    if _is_number(expected) and _is_number(found):
        return math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(expected, found, strict=False)
        return len(expected) == len(found) and all(is_like(one, other, tolerance) for one, other in pairs)
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            is_like(value, found[key], tolerance) for key, value in expected.items()
        )
    return type(expected) is type(found) and bool(expected == found)


def _judge(request: GoldenRequest, send: Callable[[GoldenRequest], bytes]) -> Wrong | None:
    try:
        found = read_answer(send(request))
    except UnansweredError as error:
        return Wrong(request, f"got no prediction: {_show(str(error))}", problem=as_shown(error) or "no reason given")
    expected = read_expected(request)
    if is_like(expected, found, request.tolerance):
        return None
    reason = f"expected {_show(json.dumps(expected))}, found {_show(json.dumps(found))}"
    return Wrong(request, reason, found=found)


def _read_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        cells = [_read_cell(cell) for cell in line.split(",")]
        return cells[0] if len(cells) == 1 else cells


def _read_cell(cell: str) -> Any:
    try:
        number = float(cell)
    except ValueError:
        return cell.strip()
    return int(number) if number.is_integer() else number


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _show(text: str) -> str:
    shown = as_shown(text)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[: _MOST_SHOWN - 1]}…"
