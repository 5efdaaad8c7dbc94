"""For how many hours a month endpoints stand whose settings say when, as the schedules of their templates have it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.contract import ENDPOINT_ACTION_INPUT, EndpointAction
from headrace.cost.schedules import SCHEDULE
from headrace.hours import Hours
from headrace.inventory import Item
from headrace.inventory.prices import HOURS_PER_MONTH
from headrace.schedules import ScheduleError


def find_most_hours(items: Iterable[Item], section: str) -> float:
    """The hours of a month in which the endpoint of a part of the platform stands; all of them without schedules."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        if item.kind == SCHEDULE and item.section == section and (action := _read_action(item.properties)):
            found[action] = item.properties
    if found.keys() != {*EndpointAction}:
        return HOURS_PER_MONTH
    start, stop = found[EndpointAction.START], found[EndpointAction.STOP]
    timezone = str(start.get("ScheduleExpressionTimezone", "UTC"))
    try:
        return (
            Hours(str(start["ScheduleExpression"]), str(stop["ScheduleExpression"]), timezone).share * HOURS_PER_MONTH
        )
    except (KeyError, ScheduleError):
        return HOURS_PER_MONTH


def _read_action(schedule: Mapping[str, Any]) -> str | None:
    """What a schedule has done to an endpoint, if it is one of ours."""
    try:
        request = json.loads(schedule["Target"]["Input"])
        return str(EndpointAction(request[ENDPOINT_ACTION_INPUT]))
    except (KeyError, TypeError, ValueError):
        return None
