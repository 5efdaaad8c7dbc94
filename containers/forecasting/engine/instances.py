"""A series in the form of SageMaker's DeepAR.

{"start": "2013-01-01 00:00:00", "target": [13, "NaN", 14], "cat": [0, 0]}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

START = "start"
TARGET = "target"
CATEGORIES = "cat"
DYNAMIC_FEATURES = "dynamic_feat"
KEYS = (START, TARGET, CATEGORIES)
# How values that are not known are written.
UNKNOWN = ("NaN", None)
MOST_SHOWN = 60
# More than a century.
MOST_DAYS = 40_000
FIRST_YEAR = 1800
# Calendars here end with the year 9999, and a series and its forecast go on for a century and a year at most.
LAST_YEAR = 9800


class InstanceError(ValueError):
    """A series that cannot be used; its message says what is wrong and what to do."""


@dataclass(frozen=True)
class Instance:
    """A series: its first day, and the demand of each day, NaN where it is not known."""

    start: date
    demand: NDArray[np.float64]


def load_instance(line: str | bytes) -> Instance:
    """The series on a line."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InstanceError(f"not JSON: {error}") from error
    return parse_instance(document)


def parse_instance(document: object) -> Instance:
    """The series in a JSON document."""
    if not isinstance(document, dict):
        raise InstanceError(f"expected an object with start and target, found {show(document)}")
    if document.get(DYNAMIC_FEATURES):
        raise InstanceError(f"{DYNAMIC_FEATURES}: this engine takes no features of your own; leave them out")
    unknown = [key for key in document if key not in (*KEYS, DYNAMIC_FEATURES)]
    if unknown:
        raise InstanceError(f"unknown key {show(unknown[0])}; known are {', '.join(KEYS)}")
    _check_categories(document.get(CATEGORIES))
    return Instance(_parse_start(document), _parse_target(document))


def show(value: object) -> str:
    """So much of a value as a message has room for."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _parse_start(document: Mapping[str, Any]) -> date:
    text = document.get(START)
    if not isinstance(text, str):
        raise InstanceError(f"start: expected a day such as 2013-01-01, found {show(text)}")
    day, _, time = text.replace("T", " ").partition(" ")
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise InstanceError(f"start: {show(text)} is not a day such as 2013-01-01") from error
    if time.strip("0:.") or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InstanceError(
            f"start: {show(text)} is not the beginning of a day from {FIRST_YEAR} to {LAST_YEAR}; this model is daily"
        )
    return found


def _parse_target(document: Mapping[str, Any]) -> NDArray[np.float64]:
    target = document.get(TARGET)
    if not isinstance(target, list) or not target:
        raise InstanceError(f"target: expected the demand of each day in a list, found {show(target)}")
    if len(target) > MOST_DAYS:
        raise InstanceError(f"target: {len(target)} days are more than {MOST_DAYS}; send the latest ones")
    return np.array([_parse_value(place, value) for place, value in enumerate(target, start=1)])


def _parse_value(place: int, value: object) -> float:
    if value in UNKNOWN or (isinstance(value, float) and math.isnan(value)):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InstanceError(f'target, day {place}: expected a number, null or "NaN", found {show(value)}')
    # Beyond it, sums of floats are no longer exact.
    if not 0 <= value <= 1e15:
        raise InstanceError(f"target, day {place}: {show(value)} is not a demand; it is a number from 0 to 1e15")
    return float(value)


def _check_categories(categories: object) -> None:
    if categories is None:
        return
    numbers = categories if isinstance(categories, list) else [categories]
    if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
        raise InstanceError(f"cat: expected whole numbers from 0 on, found {show(categories)}")
