"""How often schedules start the state machines of templates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from headrace.inventory import Item
from headrace.inventory.prices import HOURS_PER_MONTH
from headrace.schedules import ScheduleError, parse_schedule

SCHEDULE: Final = "AWS::Scheduler::Schedule"
RULE: Final = "AWS::Events::Rule"
# Four weeks have each weekday as often, and stand for all others.
_BEGIN: Final = datetime(2027, 2, 1, tzinfo=UTC)
_SPAN: Final = timedelta(weeks=4)
_MONTHS: Final = HOURS_PER_MONTH / (_SPAN / timedelta(hours=1))

# A stack, and the logical id of something in it.
Place = tuple[str | None, str | None]


def count_checks(items: Sequence[Item]) -> Mapping[Place, float]:
    """How often a month EventBridge Scheduler starts each state machine that is there for nothing else."""
    return _count_all(
        (item.stack, item.properties.get("Target", {}).get("Arn"), item.properties)
        for item in items
        if item.kind == SCHEDULE
    )


def count_executions(items: Sequence[Item]) -> Mapping[Place, float]:
    """How often a month rules start each state machine, which people and new data may start besides."""
    machines = _find_machines(items)
    return _count_all(
        (item.stack, _resolve(target.get("Arn"), item.stack, machines), item.properties)
        for item in items
        if item.kind == RULE and "ScheduleExpression" in item.properties
        for target in item.properties.get("Targets", ())
    )


def _count_all(found: Iterator[tuple[str | None, Any, Mapping[str, Any]]]) -> Mapping[Place, float]:
    counts: defaultdict[Place, float] = defaultdict(float)
    for stack, target, properties in found:
        if isinstance(target, Mapping) and isinstance(name := target.get("Ref"), str):
            expression = str(properties.get("ScheduleExpression", ""))
            counts[stack, name] += _count(expression, str(properties.get("ScheduleExpressionTimezone", "UTC")))
    return dict(counts)


def _find_machines(items: Sequence[Item]) -> Mapping[Place, Any]:
    """What stands for the state machine of each alias of one, and of each version."""
    versions = {
        (item.stack, item.logical_id): item.properties.get("StateMachineArn")
        for item in items
        if item.kind == "AWS::StepFunctions::StateMachineVersion"
    }
    aliases = {
        (item.stack, item.logical_id): _resolve(route.get("StateMachineVersionArn"), item.stack, versions)
        for item in items
        if item.kind == "AWS::StepFunctions::StateMachineAlias"
        for route in item.properties.get("RoutingConfiguration", ())
    }
    return {**versions, **aliases}


def _resolve(arn: Any, stack: str | None, known: Mapping[Place, Any]) -> Any:
    """What an ARN of something in the same stack stands for; itself for anything else."""
    if isinstance(arn, Mapping) and isinstance(attribute := arn.get("Fn::GetAtt"), list):
        return known.get((stack, attribute[0]), arn)
    return arn


@cache
def _count(expression: str, timezone: str) -> float:
    """How often a month an expression is due; one that cannot be read is never."""
    try:
        schedule = parse_schedule(expression, timezone, _BEGIN)
    except ScheduleError:
        return 0
    count, now = 0, _BEGIN
    while (due := schedule.next_after(now)) and due.astimezone(UTC) <= _BEGIN + _SPAN:
        count, now = count + 1, due
    return count * _MONTHS
