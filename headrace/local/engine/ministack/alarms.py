"""What MiniStack's CloudWatch is taught: to evaluate its alarms by all that they say, and by the clock.

MiniStack does it when a metric is put, by its namespace and name alone.
"""

import importlib
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headrace.local.clock import CLOCK, Clock, to_machine_seconds
from headrace.local.engine.alarms.alarm import Alarm, Verdict
from headrace.local.engine.alarms.errors import AlarmRefusedError
from headrace.local.engine.alarms.judging import State
from headrace.local.engine.alarms.statistics import Datum
from headrace.local.engine.alarms.store import Metric, MetricStore, choose_time
from headrace.local.engine.ministack.alarm_events import describe_change
from headrace.local.engine.moving import Fired, Happened

_TICK_SECONDS: Final = 10
# What SetAlarmState says lasts until the alarm is evaluated next, on AWS within a minute.
_SET_SECONDS: Final = 60
# What an alarm on an expression does not have, though MiniStack gives it a default.
_OF_ONE_METRIC: Final = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
_ANY_METRIC: Final = {"MetricName": "Metrics", "Namespace": "Metrics"}

logger = logging.getLogger(__name__)


@dataclass
class _Watched:
    """An alarm as it was read from MiniStack's record.

    Args:
        record: The record.
        alarm: The alarm.
        due: When it is evaluated next, on the clock of what waits.
        evaluated: When it was last.
        change: When its state may be another one, and
        foreseen: from what that was foreseen.
    """

    record: dict[str, Any]
    alarm: Alarm
    due: float
    evaluated: float = -math.inf
    change: float | None = None
    foreseen: tuple[int, str] | None = None

    def find_change(self, store: MetricStore) -> float | None:
        """When its state may be another one; None where it stays as it is."""
        state = self.record["StateValue"]
        known = (self.alarm.count_changes(store), state)
        is_past = self.change is not None and self.change <= max(self.evaluated, self.due)
        if self.foreseen != known or is_past:
            self.change = self.alarm.find_change(store, evaluated=self.evaluated, due=self.due, current=State(state))
            self.foreseen = known
        return self.change


class Alarms:
    """The alarms of the account.

    Args:
        cloudwatch: MiniStack's CloudWatch, which keeps them and serves all requests about them.
        clock: That of the cloud.
        list_standing: Lists the metrics that are measured now because something stands.
    """

    def __init__(
        self,
        cloudwatch: Any,
        clock: Clock = CLOCK,
        list_standing: Callable[[], Iterable[Metric]] = lambda: (),
    ) -> None:
        self._cloudwatch = cloudwatch
        self._clock = clock
        self._list_standing = list_standing
        self._lock = threading.Lock()
        self._changed = Happened()
        self._store = MetricStore()
        self._watched: dict[str, _Watched] = {}

    def start(self) -> None:
        """Evaluate the alarms from now on, each as often as CloudWatch would."""
        threading.Thread(target=self._run, name="alarms", daemon=True).start()

    def find_due(self) -> float | None:
        """In how many seconds an alarm is evaluated next that may change then; None if none may."""
        now = self._clock.read_waits()
        with self._lock:
            watched = [self._watch(record) for record in list(self._cloudwatch._alarms.values())]
            changes = [change for each in watched if (change := each.find_change(self._store)) is not None]
            return min((max(0.0, change - now) for change in changes), default=None)

    def tick(self) -> list[Fired]:
        """Evaluate the alarms that are due; those that have changed since the last time."""
        self._follow()
        return self._changed.take()

    def _follow(self) -> None:
        with self._lock:
            self._store.note_standing(self._list_standing(), self._clock.read_waits())
            self._changed.note(self._evaluate_due())

    def _evaluate_due(self) -> Iterator[Fired]:
        now = self._clock.read_waits()
        for record in list(self._cloudwatch._alarms.values()):
            old = record["StateValue"]
            try:
                watched = self._watch(record)
                if watched.due <= now:
                    watched.due = (now // watched.alarm.cadence + 1) * watched.alarm.cadence
                    self._evaluate(watched, now)
                    watched.evaluated = now
            except Exception:
                logger.exception("alarm_not_evaluated name=%s", record.get("AlarmName"))
            if record["StateValue"] != old:
                yield Fired(self._clock.now(), f"alarm {record['AlarmName']}", f"{old} → {record['StateValue']}")

    def keep_datum(self, metric: Metric, *, stamped: float | None, data: list[tuple[float, float]], unit: str) -> None:
        """Keep what was put for a metric.

        Args:
            metric: The metric.
            stamped: The time that it was put for, in seconds since 1970; now without one.
            data: Values, and how often each was seen.
            unit: Their unit.
        """
        arrived = self._clock.time()
        at = self._clock.to_waits(choose_time(arrived, arrived if stamped is None else stamped))
        for value, count in data:
            self._store.put(metric, Datum.of(value, time=at, count=count, unit=unit))

    def keep_set(self, metric: Metric, *, stamped: float, given: Mapping[str, Any], unit: str) -> None:
        """Keep a set of statistics that was put for a metric at a time, in seconds since 1970."""
        at = self._clock.to_waits(choose_time(self._clock.time(), stamped))
        count, total, low, high = (float(given.get(name, 0)) for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        self._store.put(metric, Datum(time=at, count=count, total=total, low=low, high=high, unit=unit))

    def read(self, metric: Metric, statistic: str, *, period: float, end: float, count: int) -> list[float | None]:
        """A statistic of each of the last periods of a metric; see `MetricStore.read`."""
        return self._store.read(metric, statistic, period=period, end=end, count=count)

    def hold(self, name: str) -> None:
        """Leave an alarm for a while in the state that somebody has set it to."""
        record = self._cloudwatch._alarms.get(name)
        if record:
            self._watch(record).due = self._clock.read_waits() + _SET_SECONDS

    def _run(self) -> None:
        while True:
            time.sleep(to_machine_seconds(_TICK_SECONDS))
            self._follow()

    def _watch(self, record: dict[str, Any]) -> _Watched:
        watched = self._watched.get(record["AlarmName"])
        if watched is None or watched.record is not record:
            watched = self._watched[record["AlarmName"]] = _Watched(record, Alarm.read(_read_record(record)), 0)
        return watched

    def _evaluate(self, watched: _Watched, now: float) -> None:
        record, old = watched.record, State(watched.record["StateValue"])
        verdict = watched.alarm.evaluate(self._store, now, old)
        if verdict.state is old:
            return
        record |= {
            "StateValue": verdict.state.value,
            "StateReason": verdict.reason,
            "StateReasonData": json.dumps(self._write_reason(watched.alarm, verdict, now)),
            "StateUpdatedTimestamp": int(self._clock.time()),
            "StateTransitionedTimestamp": int(self._clock.time()),
        }
        self._cloudwatch._record_history(record["AlarmName"], old.value, verdict.state.value, verdict.reason)
        self._cloudwatch._dispatch_alarm_actions(record, old.value, verdict.state.value, verdict.reason)
        self._cloudwatch._evaluate_parent_alarms(record)

    def _write_reason(self, alarm: Alarm, verdict: Verdict, now: float) -> dict[str, Any]:
        """StateReasonData."""
        return {
            "version": "1.0",
            "queryDate": _write_time(self._clock.from_waits(now)),
            "startDate": _write_time(self._clock.from_waits(verdict.start)),
            "period": alarm.period,
            "recentDatapoints": [point for point in verdict.points if point is not None],
            "threshold": alarm.threshold,
        }


def _read_record(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """An alarm as it was put: MiniStack gives one on a percentile a basic statistic, too."""
    if not record.get("ExtendedStatistic"):
        return record
    return {name: value for name, value in record.items() if name != "Statistic"}


def install_alarms(list_standing: Callable[[], Iterable[Metric]]) -> Alarms:
    """Teach MiniStack's CloudWatch to leave its alarms to an evaluator, and to refuse what that cannot evaluate.

    Args:
        list_standing: Lists the metrics that are measured now because something stands.
    """
    cloudwatch: Any = importlib.import_module("ministack.services.cloudwatch")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    alarms = Alarms(cloudwatch, list_standing=list_standing)
    cloudwatch._store_datum = _keep_put(alarms, cloudwatch._store_datum)
    cloudwatch.record_metric = _keep_recorded(alarms, cloudwatch.record_metric)
    # It evaluates an alarm when one is put, and all of them when a metric is.
    cloudwatch._evaluate_alarm = cloudwatch._evaluate_all_alarms = _leave_to_the_clock
    cloudwatch._put_metric_alarm = _check_put(cloudwatch, cloudwatch._put_metric_alarm)
    cloudwatch._set_alarm_state = _hold_set(alarms, cloudwatch, cloudwatch._set_alarm_state)
    cloudwatch._dispatch_alarm_actions = _publish_changes(cloudwatch._dispatch_alarm_actions)
    provisioners._cw_metric_alarm_record = _check_template(provisioners._cw_metric_alarm_record)
    return alarms


def _leave_to_the_clock(*_: Any) -> None:
    """Alarms are evaluated by the clock."""


def _keep_put(alarms: Alarms, store: Callable[..., None]) -> Callable[..., None]:
    def run(
        namespace: str,
        name: str,
        dims: dict[str, str],
        ts: float,
        unit: str,
        value: Any,
        values: Any,
        counts: Any,
        sv: Any,
    ) -> None:
        store(namespace, name, dims, ts, unit, value, values, counts, sv)
        metric = Metric.of(namespace, name, dims)
        if values is None and sv is not None:
            alarms.keep_set(metric, stamped=ts, given=sv, unit=unit)
            return
        seen = [float(each) for each in (values if values is not None else [value or 0])]
        often = [float(count) for count in (values is not None and counts) or [1] * len(seen)]
        alarms.keep_datum(metric, stamped=ts, data=list(zip(seen, often, strict=False)), unit=unit)

    return run


def _keep_recorded(alarms: Alarms, record: Callable[..., None]) -> Callable[..., None]:
    """What MiniStack's own services say of themselves."""

    def run(
        namespace: str, metric_name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
    ) -> None:
        record(namespace, metric_name, value, unit, dimensions)
        metric = Metric.of(namespace, metric_name, dimensions or {})
        alarms.keep_datum(metric, stamped=None, data=[(float(value), 1)], unit=unit)

    return run


def _check_put(cloudwatch: Any, put: Callable[..., Any]) -> Callable[..., Any]:
    def run(params: Mapping[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        given = data if is_cbor or is_json else _read_form(cloudwatch, params)
        try:
            Alarm.read(given)
        except AlarmRefusedError as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        answer = put(params, data, is_cbor, is_json)
        if answer[0] < 400 and given.get("Metrics"):
            _complete(cloudwatch._alarms[given["AlarmName"]], given)
        return answer

    return run


def _read_form(cloudwatch: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """What decides whether an alarm can be evaluated, of a request in the form that older clients send."""
    names = {str(name).partition(".")[0] for name in params}
    if "Metrics" in names:
        raise AlarmRefusedError("The local cloud takes Metrics from clients that send JSON or CBOR, as AWS's do today.")
    return {name: cloudwatch._p(params, name) or None for name in names}


def _complete(record: dict[str, Any], given: Mapping[str, Any]) -> None:
    """What MiniStack does not keep of an alarm on an expression."""
    for name in _OF_ONE_METRIC:
        record.pop(name, None)
    record["Metrics"] = given["Metrics"]


def _check_template(read: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def run(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        try:
            Alarm.read(properties)
        except AlarmRefusedError as error:
            raise ValueError(str(error)) from None
        if not properties.get("Metrics"):
            return read(name, properties)
        record = read(name, {**properties, "Metrics": None, **_ANY_METRIC})
        _complete(record, properties)
        return record

    return run


def _hold_set(alarms: Alarms, cloudwatch: Any, change: Callable[..., Any]) -> Callable[..., Any]:
    def run(params: Mapping[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        name = data.get("AlarmName", "") if is_cbor or is_json else cloudwatch._p(params, "AlarmName")
        alarms.hold(name)
        return change(params, data, is_cbor, is_json)

    return run


def _publish_changes(act: Callable[..., None]) -> Callable[..., None]:
    """An alarm's change is an event, too, whatever its actions."""
    events: Any = importlib.import_module("ministack.services.eventbridge")

    def run(record: dict[str, Any], old: str, new: str, reason: str) -> None:
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Detail": json.dumps(describe_change(record, old, CLOCK.now())),
            "Resources": [record["AlarmArn"]],
        }
        events._put_events({"Entries": [entry]}, allow_aws_source=True)
        act(record, old, new, reason)

    return run


def _write_time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
