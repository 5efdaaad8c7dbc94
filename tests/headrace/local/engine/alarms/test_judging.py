"""The examples of CloudWatch's guide: `0` is within the threshold, `X` breaches it, `-` is missing.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import itertools

import pytest

from headrace.local.engine.alarms.judging import Missing, State, judge

KEEP = None
OK, ALARM, UNKNOWN = State.OK, State.ALARM, State.INSUFFICIENT_DATA
POINTS = {"0": False, "X": True, "-": None}
# Points; what they mean where missing data is missing, ignored, breaching, not breaching.
THREE_OF_THREE = [
    ("0 - X - X", OK, OK, OK, OK),
    ("0 - - - -", OK, OK, OK, OK),
    ("- - - - -", UNKNOWN, KEEP, ALARM, OK),
    ("0 X X - X", ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", ALARM, KEEP, ALARM, OK),
]
TWO_OF_THREE = [
    ("0 - X - X", ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", OK, OK, ALARM, OK),
    ("- - - - 0", OK, OK, ALARM, OK),
    ("- - - X -", ALARM, KEEP, ALARM, OK),
]
CASES = [(3, *row) for row in THREE_OF_THREE] + [(2, *row) for row in TWO_OF_THREE]
ORDER = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)


def read(points: str) -> list[bool | None]:
    return [POINTS[point] for point in points.split()]


@pytest.mark.parametrize(
    ("breaching", "points", "missing", "expected", "current"),
    [
        (breaching, points, missing, expected, current)
        for (breaching, points, *states), current in itertools.product(CASES, State)
        for missing, expected in zip(ORDER, states, strict=True)
    ],
)
def test_judges_the_examples_of_the_guide(
    breaching: int, points: str, missing: Missing, expected: State | None, current: State
) -> None:
    judged = judge(read(points), needed=3, breaching=breaching, missing=missing, current=current)

    assert judged == (expected or current)


@pytest.mark.parametrize("current", State)
def test_does_not_alarm_by_the_newest_point_alone_when_older_ones_are_missing(current: State) -> None:
    judged = judge(read("- - - - X"), needed=3, breaching=3, missing=Missing.MISSING, current=current)

    assert judged == current


def test_looks_at_the_newest_points_when_more_are_there_than_needed() -> None:
    assert judge(read("X X X 0 0"), needed=2, breaching=2, missing=Missing.BREACHING, current=ALARM) == OK


def test_needs_no_consecutive_points() -> None:
    assert judge(read("X 0 X 0 X"), needed=5, breaching=3, missing=Missing.MISSING, current=OK) == ALARM
