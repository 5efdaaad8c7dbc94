"""Where an answer is not the expected one; standard library only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.golden.answers import is_like

NOTHING: Final = "nothing"


@dataclass(frozen=True)
class Difference:
    """A place in an answer, such as `predictions[0].label`, with the JSON that was expected and found there."""

    where: str
    expected: str
    found: str


def list_differences(expected: Any, found: Any, tolerance: float, where: str = "") -> Iterator[Difference]:
    """The places where two values are not the same, apart from numbers that are off by no more than the tolerance."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            yield from _compare(expected, found, key, tolerance, f"{where}.{key}".lstrip("."))
    elif isinstance(expected, list) and isinstance(found, list):
        one, other = dict(enumerate(expected)), dict(enumerate(found))
        for index in range(max(len(one), len(other))):
            yield from _compare(one, other, index, tolerance, f"{where}[{index}]")
    elif not is_like(expected, found, tolerance):
        yield Difference(where, json.dumps(expected, ensure_ascii=False), json.dumps(found, ensure_ascii=False))


def _compare(
    expected: dict[Any, Any], found: dict[Any, Any], key: Any, tolerance: float, where: str
) -> Iterator[Difference]:
    if key in expected and key in found:
        yield from list_differences(expected[key], found[key], tolerance, where)
    else:
        one, other = (
            json.dumps(side[key], ensure_ascii=False) if key in side else NOTHING for side in (expected, found)
        )
        yield Difference(where, one, other)
