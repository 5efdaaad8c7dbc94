"""What state an alarm is in, by its last data points.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

# More data points are looked at than an alarm needs, so that it need not count missing ones. AWS says how many for one
# example only: five where three are needed.
FURTHER_POINTS: Final = 2


class State(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """How an alarm counts periods without data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


def judge(points: Sequence[bool | None], *, needed: int, breaching: int, missing: Missing, current: State) -> State:
    """The state that an alarm is in.

    Args:
        points: Whether each data point of the evaluation range breaches the threshold, the oldest first; None where
            there is none.
        needed: How many data points the alarm looks at, N.
        breaching: How many of them must breach, M.
        missing: How missing ones count, where fewer than needed are there.
        current: The state that it is in now.
    """
    present = [point for point in points if point is not None]
    lacking = needed - len(present)
    if lacking <= 0:
        return State.ALARM if sum(present[-needed:]) >= breaching else State.OK
    found = sum(present)
    if missing in (Missing.BREACHING, Missing.NOT_BREACHING):
        filled = found + (lacking if missing is Missing.BREACHING else 0)
        return State.ALARM if filled >= breaching else State.OK
    if found >= breaching:
        return State.ALARM
    if False in present:
        return State.OK
    return _judge_lacking(points, needed=needed, breaching=breaching, missing=missing, current=current)


def _judge_lacking(
    points: Sequence[bool | None], *, needed: int, breaching: int, missing: Missing, current: State
) -> State:
    """The state by points too few of which are there, none of them below the threshold."""
    if missing is Missing.IGNORE:
        return current
    if not any(points):
        return State.INSUFFICIENT_DATA
    last = points[-needed:]
    # The oldest breaching one may be followed by nothing but missing ones: waiting longer would bring nothing.
    oldest = next((len(last) - at for at, point in enumerate(last) if point), 0)
    return State.ALARM if oldest >= breaching else current
