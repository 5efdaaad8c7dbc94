"""MiniStack's schedules on the clock of the cloud: rules of EventBridge, and EventBridge Scheduler in time zones."""

import importlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from headrace.local.clock import CLOCK
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.ministack.universal_targets import calling_operations
from headrace.local.engine.moving import Fired, Happened, write_time
from headrace.schedules import Schedule, ScheduleError, parse_schedule

SCHEDULE: Final = "AWS::Scheduler::Schedule"
SCHEDULER_SOURCE: Final = "aws.scheduler"
_TIMEZONE: Final = "ScheduleExpressionTimezone"
_ENABLED: Final = "ENABLED"

# Account, Region and name, as MiniStack keeps both kinds.
_Key = tuple[str, str, str]


class Schedules:
    """What fires at times.

    Args:
        events: MiniStack's EventBridge.
        scheduler: MiniStack's EventBridge Scheduler.
    """

    def __init__(self, events: Any, scheduler: Any) -> None:
        self._events = events
        self._scheduler = scheduler
        self._lock = threading.Lock()
        self._fired = Happened()
        self._tick_rules: Callable[[], None] = events._tick_scheduled_rules

    def find_due(self) -> float | None:
        """In how many seconds the next one fires."""
        now = CLOCK.time()
        with self._lock:
            due = [self._find_next_of_rule(key, rule, now) for key, rule in self._list_rules()]
            due += [self._find_next(key, schedule, now) for key, schedule in self._list_schedules()]
        return min((max(0.0, instant - now) for instant in due if instant is not None), default=None)

    def tick(self) -> list[Fired]:
        """Fire those that are due; those that have fired since the last time."""
        self.fire()
        return self._fired.take()

    def fire(self) -> None:
        """Fire those that are due, as MiniStack's own tickers do."""
        with self._lock:
            self._pass_over()
            self._fired.note([*self._fire_rules(), *self._fire_schedules()])

    def _pass_over(self) -> None:
        """Let the times go by of what is switched off, so that they are not made up for once it is on again."""
        now = CLOCK.time()
        for key, rule in list(self._events._rules._data.items()):
            if rule.get("State") != _ENABLED and rule.get("ScheduleExpression"):
                self._events._rule_last_fired[key] = now
        for key, schedule in list(self._scheduler._schedules._data.items()):
            is_once = self._scheduler._at_time_epoch(schedule.get("ScheduleExpression", "")) is not None
            if schedule.get("State") != _ENABLED and not is_once:
                self._scheduler._schedule_last_fired[key] = now

    def _list_rules(self) -> Iterator[tuple[_Key, Mapping[str, Any]]]:
        for key, rule in list(self._events._rules._data.items()):
            if rule.get("State") == _ENABLED and rule.get("ScheduleExpression"):
                yield key, rule

    def _list_schedules(self) -> Iterator[tuple[_Key, dict[str, Any]]]:
        for key, schedule in list(self._scheduler._schedules._data.items()):
            if schedule.get("State") == _ENABLED:
                yield key, schedule

    def _find_next_of_rule(self, key: _Key, rule: Mapping[str, Any], now: float) -> float | None:
        last = self._events._rule_last_fired.get(key, rule.get("CreationTime", now))
        return self._find_occurrence(rule["ScheduleExpression"], "UTC", last)

    def _fire_rules(self) -> Iterator[Fired]:
        before = dict(self._events._rule_last_fired)
        self._tick_rules()
        for key, rule in self._list_rules():
            # A rule without an entry is seen for the first time, and only begins to count.
            if key in before and before[key] != self._events._rule_last_fired.get(key):
                yield Fired(CLOCK.now(), f"schedule {rule['Name']}", "fired")

    def _find_next(self, key: _Key, schedule: Mapping[str, Any], now: float) -> float | None:
        last = self._scheduler._schedule_last_fired.get(key)
        expression, zone = schedule.get("ScheduleExpression", ""), schedule.get(_TIMEZONE, "UTC")
        once = self._scheduler._at_time_epoch(expression)
        if once is not None:
            local = datetime.fromtimestamp(once, UTC).replace(tzinfo=ZoneInfo(zone))
            return None if last is not None else local.timestamp()
        created = self._scheduler._to_epoch(schedule.get("CreationDate")) or now
        instant = self._find_occurrence(expression, zone, created if last is None else last)
        start, end = (self._scheduler._to_epoch(schedule.get(name)) for name in ("StartDate", "EndDate"))
        if instant is None or (end is not None and instant > end):
            return None
        return max(instant, start or 0)

    def _find_occurrence(self, expression: str, zone: str, last: float) -> float | None:
        """When an expression is true for the first time after it was last."""
        interval = self._events._parse_rate_seconds(expression)
        if interval is not None:
            return float(last + interval)
        schedule = _read_cron(expression, zone)
        occurs = schedule and schedule.next_after(datetime.fromtimestamp(last, UTC))
        return occurs.timestamp() if occurs else None

    def _fire_schedules(self) -> Iterator[Fired]:
        for key, schedule in self._list_schedules():
            now = CLOCK.time()
            due = self._find_next(key, schedule, now)
            if due is None or due > now:
                continue
            is_once = self._scheduler._at_time_epoch(schedule.get("ScheduleExpression", "")) is not None
            self._scheduler._schedule_last_fired[key] = now
            self._call(schedule, datetime.fromtimestamp(due, UTC))
            if is_once and schedule.get("ActionAfterCompletion") == "DELETE":
                self._scheduler._schedules._data.pop(key, None)
                self._scheduler._schedule_last_fired.pop(key, None)
            yield Fired(CLOCK.now(), f"schedule {schedule['Name']}", "fired")

    def _call(self, schedule: Mapping[str, Any], due: datetime) -> None:
        event = {
            "EventId": self._scheduler.new_uuid(),
            "Source": SCHEDULER_SOURCE,
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": CLOCK.time(),
            "Resources": [schedule.get("Arn", "")],
            "Account": ACCOUNT,
            "Region": REGION,
        }
        target = dict(schedule["Target"])
        if "Input" in target:
            target["Input"] = _fill_in(target["Input"], schedule, due)
        self._events._invoke_target(target, event, schedule)


def install_schedules() -> Schedules:
    """Teach MiniStack to fire its schedules by the cloud's clock, each in its time zone."""
    events: Any = importlib.import_module("ministack.services.eventbridge")
    scheduler: Any = importlib.import_module("ministack.services.scheduler")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    read_cron_as_settings_do(events)
    events._invoke_target = calling_operations(events._invoke_target)
    schedules = Schedules(events, scheduler)
    events._tick_scheduled_rules = scheduler._tick_schedules = schedules.fire
    handlers = provisioners._RESOURCE_HANDLERS
    handlers[SCHEDULE] = {
        **handlers[SCHEDULE],
        "create": _keep_timezone(scheduler, handlers[SCHEDULE]["create"], properties_at=1),
        "update": _keep_timezone(scheduler, handlers[SCHEDULE]["update"], properties_at=2),
    }
    return schedules


def read_cron_as_settings_do(events: Any) -> None:
    """Give MiniStack's EventBridge our reading of cron(…): its own ends after four years.

    Args:
        events: MiniStack's EventBridge.
    """
    events._parse_cron_fields = _read_cron
    events._cron_next_fire = lambda schedule, after: schedule.next_after(after)


def _fill_in(text: str, schedule: Mapping[str, Any], due: datetime) -> str:
    """What EventBridge Scheduler puts into an input for its keywords.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    known = {
        "schedule-arn": schedule.get("Arn", ""),
        "scheduled-time": write_time(due),
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for keyword, value in known.items():
        text = text.replace(f"<aws.scheduler.{keyword}>", value)
    return text


@cache
def _read_cron(expression: str, zone: str = "UTC") -> Schedule | None:
    try:
        return parse_schedule(expression, zone)
    except ScheduleError:
        return None


def _keep_timezone(scheduler: Any, provision: Callable[..., Any], properties_at: int) -> Callable[..., Any]:
    """MiniStack's CloudFormation leaves the time zone of a schedule out."""

    def run(*arguments: Any) -> Any:
        name, attributes = provision(*arguments)
        properties = arguments[properties_at]
        schedule = scheduler._schedules[f"{properties.get('GroupName', 'default')}/{name}"]
        schedule[_TIMEZONE] = properties.get(_TIMEZONE, "UTC")
        return name, attributes

    return run
