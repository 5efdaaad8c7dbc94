"""One alarm: read from a request or a template, and evaluated."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headrace.local.clock import CLOCK
from headrace.local.engine.alarms.errors import AlarmRefusedError
from headrace.local.engine.alarms.expressions import Expression, Series, read_expression
from headrace.local.engine.alarms.judging import FURTHER_POINTS, Missing, State, judge
from headrace.local.engine.alarms.statistics import is_statistic
from headrace.local.engine.alarms.store import MOST_SECONDS, Metric, MetricStore
from headrace.wording import counted

_DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600
_HIGH_RESOLUTION: Final = (10, 20, 30)
_HIGH_CADENCE_SECONDS: Final = 10
_CADENCE_SECONDS: Final = 60
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
_CADENCE_OF_DAYS_SECONDS: Final = _HOUR_SECONDS
_ID: Final = re.compile(r"[a-z]\w{0,254}")
_NO_METRIC: Final = "Either MetricName or Metrics must be given, and not both."
# Parameters of PutMetricAlarm that change how an alarm is evaluated in ways that are not served.
_UNSERVED: Final = (
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationWindow",
    "ThresholdMetricId",
    "WarmUpConfiguration",
)
# How a reason says that a value breaches, and how AWS's own sentence goes on.
_COMPARISONS: Final[Mapping[str, str]] = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What an alarm reads: a statistic of a metric, in a unit where one is named."""

    metric: Metric
    statistic: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an evaluation found.

    Args:
        state: The state that the alarm is in.
        reason: Why, in CloudWatch's words.
        points: The data points that it looked at, the oldest first; None for missing ones.
        start: When the first of them begins, in seconds since 1970 on the local cloud's clock.
    """

    state: State
    reason: str
    points: Sequence[float | None]
    start: float


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm on a metric or on an expression.

    Args:
        queries: What is read, by id.
        expressions: What is calculated, by id; each only from what stands before it.
        returned: The id of what is compared.
        period: Seconds.
        needed: How many data points are looked at, N.
        breaching: How many of them must breach, M.
        threshold: What they are compared with,
        comparison: and how.
        missing: How missing ones count.
    """

    queries: Mapping[str, Query]
    expressions: Mapping[str, Expression]
    returned: str
    period: int
    needed: int
    breaching: int
    threshold: float
    comparison: str
    missing: Missing

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "Alarm":
        """An alarm as PutMetricAlarm and templates have it.

        Raises:
            AlarmRefusedError: If CloudWatch would refuse it, or the local cloud cannot evaluate it.
        """
        if unserved := sorted(set(_UNSERVED) & {name for name, value in given.items() if value}):
            raise AlarmRefusedError(f"The local cloud does not evaluate alarms with {', '.join(unserved)}.")
        if bool(given.get("Metrics")) == bool(given.get("MetricName")):
            raise AlarmRefusedError(_NO_METRIC)
        queries, expressions, returned, period = _read_math(given) if given.get("Metrics") else _read_metric(given)
        needed = _read_number(given, "EvaluationPeriods", 1)
        breaching = _read_number(given, "DatapointsToAlarm", needed)
        if breaching > needed:
            raise AlarmRefusedError(
                f"DatapointsToAlarm ({breaching}) must be less than or equal to EvaluationPeriods ({needed})."
            )
        _check_span(period, needed)
        return cls(
            queries=queries,
            expressions=expressions,
            returned=returned,
            period=period,
            needed=needed,
            breaching=breaching,
            threshold=_read_threshold(given),
            comparison=_read_choice(given, "ComparisonOperator", tuple(_COMPARISONS)),
            missing=Missing(_read_choice(given, "TreatMissingData", tuple(Missing), Missing.MISSING.value)),
        )

    @property
    def cadence(self) -> int:
        """How often it is evaluated, in seconds: once an hour where it looks back more than a day."""
        if self.period * self.needed > _DAY_SECONDS:
            return _CADENCE_OF_DAYS_SECONDS
        return _HIGH_CADENCE_SECONDS if self.period in _HIGH_RESOLUTION else _CADENCE_SECONDS

    def find_change(self, store: MetricStore, *, evaluated: float, due: float, current: State) -> float | None:
        """When its state may be another one, unless something is put, or begins or ends to stand, before.

        Args:
            store: What was put, and what stands.
            evaluated: When it was evaluated last,
            due: and when it is next, on the clock of what waits.
            current: The state that it is in.

        Returns:
            The time of an evaluation, on the clock of what waits; None where it stays as it is.
        """
        if any(store.is_standing(query.metric) for query in self.queries.values()):
            return self._foresee(store, due, current)
        # Once there are no data in all periods that it looks at, it does not change any more.
        newest = max((store.find_newest(query.metric) for query in self.queries.values()), default=-math.inf)
        return due if evaluated < max(newest + self._span + self.cadence, 0) else None

    def count_changes(self, store: MetricStore) -> int:
        """How often anything has changed that it reads."""
        return sum(store.count_changes(query.metric) for query in self.queries.values())

    @property
    def _span(self) -> float:
        """How far it looks back, in seconds."""
        return (self.needed + FURTHER_POINTS) * self.period

    def _foresee(self, store: MetricStore, due: float, current: State) -> float | None:
        """What stands is measured without an end: the first evaluation from one on that finds another state."""
        step = max(self.period // self.cadence, 1) * self.cadence
        far = range(int(self._span // step) + 2)
        coarse = next((due + at * step for at in far if self._finds_another(store, due + at * step, current)), None)
        if coarse is None:
            return None
        fine = (coarse - back for back in range(step - self.cadence, 0, -self.cadence) if coarse - back >= due)
        return next((at for at in fine if self._finds_another(store, at, current)), coarse)

    def _finds_another(self, store: MetricStore, at: float, current: State) -> bool:
        return self.evaluate(store, at, current).state is not current

    def evaluate(self, store: MetricStore, now: float, current: State) -> Verdict:
        """Its state now, in seconds since 1970 on the local cloud's clock."""
        end = now // self.cadence * self.cadence
        count = self.needed + FURTHER_POINTS
        values = self._calculate(store, end, count)
        points = [None if value is None else self._breaches(value) for value in values]
        state = judge(points, needed=self.needed, breaching=self.breaching, missing=self.missing, current=current)
        start = end - count * self.period
        return Verdict(state=state, reason=self._explain(state, values, start), points=values, start=start)

    def _calculate(self, store: MetricStore, end: float, count: int) -> Series:
        series: dict[str, Series] = {
            name: store.read(query.metric, query.statistic, period=self.period, end=end, count=count, unit=query.unit)
            for name, query in self.queries.items()
        }
        for name, expression in self.expressions.items():
            series[name] = expression.evaluate(series, count)
        return series[self.returned]

    def _breaches(self, value: float) -> bool:
        return {
            "GreaterThanOrEqualToThreshold": value >= self.threshold,
            "GreaterThanThreshold": value > self.threshold,
            "LessThanThreshold": value < self.threshold,
            "LessThanOrEqualToThreshold": value <= self.threshold,
        }[self.comparison]

    def _explain(self, state: State, values: Series, start: float) -> str:
        present = [(at, value) for at, value in enumerate(values) if value is not None][-self.needed :]
        missing = self.needed - len(present)
        if state is State.INSUFFICIENT_DATA:
            return f"Insufficient Data: {counted(missing, 'datapoint')} {_were(missing)} unknown."
        if not present:
            treated = {Missing.BREACHING: "[Breaching]", Missing.NOT_BREACHING: "[NonBreaching]"}.get(self.missing)
            return (
                f"Threshold Crossed: no datapoints were received for {counted(self.needed, 'period')} and "
                f"{counted(missing, 'missing datapoint')} {_were(missing)} treated as {treated}."
            )
        meant = [(at, value) for at, value in present if self._breaches(value) is (state is State.ALARM)] or present
        shown = ", ".join(f"{float(value)} ({_write_day(start + at * self.period)})" for at, value in reversed(meant))
        is_not = "" if state is State.ALARM else "not "
        change = "OK -> ALARM" if state is State.ALARM else "ALARM -> OK"
        least = self.breaching if state is State.ALARM else self.needed - self.breaching + 1
        return (
            f"Threshold Crossed: {len(meant)} out of the last {self.needed} datapoints [{shown}] "
            f"{_were(len(meant))} {is_not}{_COMPARISONS[self.comparison]} the threshold ({self.threshold}) "
            f"(minimum {counted(least, 'datapoint')} for {change} transition)."
        )


_Read = tuple[dict[str, Query], dict[str, Expression], str, int]


def _read_metric(given: Mapping[str, Any]) -> _Read:
    if given.get("Statistic") and given.get("ExtendedStatistic"):
        raise AlarmRefusedError("Statistic and ExtendedStatistic must not both be given.")
    statistic = given.get("ExtendedStatistic") or given.get("Statistic") or "Average"
    query = _make_query(given, given, statistic)
    return {"m1": query}, {}, "m1", _read_period(given.get("Period") or _CADENCE_SECONDS)


def _make_query(metric: Mapping[str, Any], stat: Mapping[str, Any], statistic: str) -> Query:
    if not is_statistic(statistic):
        raise AlarmRefusedError(
            f"The local cloud does not evaluate the statistic {statistic}: it has SampleCount, Average, Sum, Minimum, "
            "Maximum and percentiles such as p99."
        )
    dimensions = {each["Name"]: str(each["Value"]) for each in metric.get("Dimensions") or ()}
    found = Metric.of(metric.get("Namespace") or "", metric["MetricName"], dimensions)
    return Query(metric=found, statistic=statistic, unit=stat.get("Unit") or "")


def _read_math(given: Mapping[str, Any]) -> _Read:
    queries: dict[str, Query] = {}
    expressions: dict[str, Expression] = {}
    periods: set[int] = set()
    returned = [each["Id"] for each in given["Metrics"] if _is_returned(each)]
    if len(returned) != 1:
        raise AlarmRefusedError(f"Exactly one of Metrics must have ReturnData true, not {len(returned)}.")
    for each in given["Metrics"]:
        _check_id(each, {*queries, *expressions})
        if stat := each.get("MetricStat"):
            queries[each["Id"]] = _make_query(stat["Metric"], stat, stat["Stat"])
            periods.add(_read_period(stat["Period"]))
        else:
            expressions[each["Id"]] = read_expression(str(each.get("Expression", "")))
    if len(periods) != 1:
        raise AlarmRefusedError(
            f"The local cloud evaluates expressions over metrics of one period, not of {len(periods)} different ones."
        )
    return queries, _order(expressions, set(queries)), returned[0], periods.pop()


def _is_returned(query: Mapping[str, Any]) -> bool:
    return str(query.get("ReturnData", True)).lower() == "true"


def _check_id(query: Mapping[str, Any], taken: set[str]) -> None:
    name = str(query.get("Id", ""))
    if not _ID.fullmatch(name) or name in taken:
        raise AlarmRefusedError(f"The id {name!r} of Metrics must begin with a small letter and be given once.")
    if query.get("AccountId"):
        raise AlarmRefusedError(f"The local cloud has one account: leave AccountId out of {name}.")


def _order(expressions: Mapping[str, Expression], known: set[str]) -> dict[str, Expression]:
    """The expressions, each after those that it is calculated from."""
    ordered: dict[str, Expression] = {}
    while len(ordered) < len(expressions):
        ready = {
            name: expression
            for name, expression in expressions.items()
            if name not in ordered and expression.names <= known | set(ordered)
        }
        if not ready:
            name = next(name for name in expressions if name not in ordered)
            lacking = ", ".join(sorted(expressions[name].names - known - set(ordered)))
            raise AlarmRefusedError(f"The expression {name} needs {lacking}, which Metrics does not have before it.")
        ordered |= ready
    return ordered


def _read_period(given: Any) -> int:
    period = int(given)
    if period not in _HIGH_RESOLUTION and (period <= 0 or period % _CADENCE_SECONDS):
        raise AlarmRefusedError(f"Period must be 10, 20, 30 or a multiple of 60, not {period}.")
    return period


def _read_number(given: Mapping[str, Any], name: str, default: int) -> int:
    value = given.get(name)
    number = default if value is None else int(value)
    if number < 1:
        raise AlarmRefusedError(f"{name} must be at least 1, not {number}.")
    return number


def _read_threshold(given: Mapping[str, Any]) -> float:
    if given.get("Threshold") is None:
        raise AlarmRefusedError("Threshold is missing.")
    return float(given["Threshold"])


def _read_choice(given: Mapping[str, Any], name: str, choices: Sequence[str], default: str = "") -> str:
    value = given.get(name) or default
    if value not in choices:
        raise AlarmRefusedError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return str(value)


def _check_span(period: int, needed: int) -> None:
    most = MOST_SECONDS if period >= _HOUR_SECONDS else _DAY_SECONDS
    if period * needed > most:
        raise AlarmRefusedError(
            f"Period times EvaluationPeriods must be at most {most} seconds with a Period of {period}, not "
            f"{period * needed}."
        )


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _write_day(seconds: float) -> str:
    return datetime.fromtimestamp(CLOCK.from_waits(seconds), UTC).strftime("%d/%m/%y %H:%M:%S")
