from typing import Any

import pytest

from headrace.local.clock import to_cloud_seconds
from headrace.local.engine.alarms.alarm import Alarm
from headrace.local.engine.alarms.errors import AlarmRefusedError
from headrace.local.engine.alarms.judging import State
from headrace.local.engine.alarms.statistics import Datum
from headrace.local.engine.alarms.store import Metric, MetricStore, choose_time

# A whole minute of the local cloud's clock, whatever share of this machine's it is.
NOW = to_cloud_seconds(1_800_000_000) // 60 * 60
ENDPOINT = {"EndpointName": "sales", "VariantName": "AllTraffic"}
MACHINES = Metric.of("/aws/sagemaker/Endpoints", "CPUUtilization", ENDPOINT)


def describe(**changes: Any) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in ENDPOINT.items()]
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": dimensions,
        "Statistic": "Sum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | changes


def query(name: str, metric: str, **changes: Any) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in ENDPOINT.items()]
    stat = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": stat, "Period": 10, "Stat": "Sum"}, "ReturnData": False} | changes


def put(store: MetricStore, value: float, *, ago: float = 1, name: str = "Invocation5XXErrors", **given: Any) -> None:
    metric = Metric.of("AWS/SageMaker", name, given.pop("dimensions", ENDPOINT))
    store.put(metric, Datum.of(value, time=NOW - ago, **given))


@pytest.fixture
def store() -> MetricStore:
    return MetricStore()


def evaluate(store: MetricStore, current: State = State.OK, **changes: Any) -> State:
    return Alarm.read(describe(**changes)).evaluate(store, NOW, current).state


def test_alarms_by_what_was_put_in_the_last_period(store: MetricStore) -> None:
    put(store, 1)

    assert evaluate(store) == State.ALARM


@pytest.mark.parametrize(
    "dimensions", [{}, {"EndpointName": "sales"}, {**ENDPOINT, "EndpointName": "images"}, {**ENDPOINT, "Host": "a"}]
)
def test_sees_only_what_has_exactly_its_dimensions(store: MetricStore, dimensions: dict[str, str]) -> None:
    put(store, 1, dimensions=dimensions)

    assert evaluate(store) == State.OK


def test_forgets_what_is_older_than_the_periods_it_looks_at(store: MetricStore) -> None:
    put(store, 1, ago=31)

    assert evaluate(store) == State.OK


@pytest.mark.parametrize(("ago", "state"), [(30, State.ALARM), (30.5, State.OK), (0, State.OK)])
def test_counts_the_first_instant_of_a_period_and_not_its_end(store: MetricStore, ago: float, state: State) -> None:
    put(store, 1, ago=ago)

    assert evaluate(store) == state


def test_evaluates_alarms_of_a_minute_once_a_minute(store: MetricStore) -> None:
    put(store, 1, ago=-1)
    alarm = Alarm.read(describe(Period=60))

    assert alarm.evaluate(store, NOW + 59, State.OK).state == State.OK
    assert alarm.evaluate(store, NOW + 60, State.OK).state == State.ALARM


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2.5), ("p100", 4)],
)
def test_knows_every_basic_statistic_and_percentiles(store: MetricStore, statistic: str, value: float) -> None:
    for sample in (1, 2, 3, 4):
        put(store, sample)
    key = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"

    verdict = Alarm.read(describe(Statistic=None) | {key: statistic}).evaluate(store, NOW, State.OK)

    assert verdict.points[-1] == value


def test_has_no_percentile_of_a_set_of_statistics(store: MetricStore) -> None:
    metric = Metric.of("AWS/SageMaker", "Invocation5XXErrors", ENDPOINT)
    store.put(metric, Datum(time=NOW - 1, count=2, total=3, low=1, high=2))

    assert evaluate(store, Statistic=None, ExtendedStatistic="p99") == State.OK


def test_counts_only_data_of_its_unit(store: MetricStore) -> None:
    put(store, 1, unit="Seconds")

    assert evaluate(store, Unit="Milliseconds") == State.OK
    assert evaluate(store, Unit="Seconds") == State.ALARM


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [2]),
        ("GreaterThanOrEqualToThreshold", [1, 2]),
        ("LessThanThreshold", [0]),
        ("LessThanOrEqualToThreshold", [0, 1]),
    ],
)
def test_compares_as_told(comparison: str, breaching: list[int]) -> None:
    for value in (0, 1, 2):
        store = MetricStore()
        put(store, value)

        assert (evaluate(store, ComparisonOperator=comparison) == State.ALARM) == (value in breaching)


def test_needs_as_many_breaching_points_as_told(store: MetricStore) -> None:
    for ago in (1, 21, 31):
        put(store, 1, ago=ago)
    put(store, 0, ago=11)

    assert evaluate(store, EvaluationPeriods=4, DatapointsToAlarm=3) == State.ALARM
    assert evaluate(store, EvaluationPeriods=4, DatapointsToAlarm=4) == State.OK


def test_evaluates_an_expression(store: MetricStore) -> None:
    put(store, 10, name="Invocations")
    put(store, 1)
    metrics = [
        query("calls", "Invocations"),
        query("errors", "Invocation5XXErrors"),
        {"Id": "rate", "Expression": "IF(calls > 0, FILL(errors, 0) / calls, 0)", "ReturnData": True},
    ]

    assert evaluate(store, MetricName=None, Metrics=metrics, Threshold=0.1) == State.ALARM
    assert evaluate(store, MetricName=None, Metrics=metrics, Threshold=0.2) == State.OK


def test_calculates_expressions_in_the_order_that_they_need(store: MetricStore) -> None:
    put(store, 2)
    metrics = [
        {"Id": "double", "Expression": "2 * errors", "ReturnData": False},
        {"Id": "four", "Expression": "2 * double", "ReturnData": True},
        query("errors", "Invocation5XXErrors"),
    ]

    assert evaluate(store, MetricName=None, Metrics=metrics, Threshold=8) == State.ALARM


def test_gives_the_reason_in_the_words_of_cloudwatch(store: MetricStore) -> None:
    put(store, 3)

    reason = Alarm.read(describe()).evaluate(store, NOW, State.OK).reason

    assert reason.startswith("Threshold Crossed: 1 out of the last 1 datapoints [3.0 (")
    assert reason.endswith(
        "was greater than or equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )


def test_says_how_many_points_were_missing(store: MetricStore) -> None:
    treated = Alarm.read(describe()).evaluate(store, NOW, State.OK)
    unknown = Alarm.read(describe(TreatMissingData="missing", EvaluationPeriods=2)).evaluate(store, NOW, State.OK)

    assert treated.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )
    assert (unknown.state, unknown.reason) == (
        State.INSUFFICIENT_DATA,
        "Insufficient Data: 2 datapoints were unknown.",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Period": 15}, "Period must be 10, 20, 30 or a multiple of 60, not 15"),
        ({"DatapointsToAlarm": 2}, r"DatapointsToAlarm \(2\) must be less than or equal to EvaluationPeriods \(1\)"),
        ({"EvaluationPeriods": 0}, "EvaluationPeriods must be at least 1, not 0"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "must be at most 86400 seconds with a Period of 60, not 86460"),
        ({"TreatMissingData": "notBreching"}, "TreatMissingData must be one of .*, not 'notBreching'"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator must be one of"),
        ({"Threshold": None}, "Threshold is missing"),
        ({"ExtendedStatistic": "p99"}, "Statistic and ExtendedStatistic must not both be given"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "does not evaluate the statistic tm99"),
        ({"MetricName": None}, "Either MetricName or Metrics must be given"),
        ({"EvaluationCriteria": {"PromQLCriteria": {}}}, "does not evaluate alarms with EvaluationCriteria"),
    ],
)
def test_refuses_what_cloudwatch_would_or_what_it_cannot_evaluate(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(AlarmRefusedError, match=reason):
        Alarm.read(describe(**changes))


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ([query("m1", "Invocations")], "Exactly one of Metrics must have ReturnData true, not 0"),
        ([query("M1", "Invocations", ReturnData=True)], "'M1' of Metrics must begin with a small letter"),
        ([query("m1", "Invocations"), query("m1", "Invocations", ReturnData=True)], "'m1' .* be given once"),
        ([query("m1", "Invocations"), {"Id": "e1", "Expression": "m1 + m2"}], "e1 needs m2, which Metrics does not"),
        ([query("m1", "Invocations"), {"Id": "e1", "Expression": "e1 + m1"}], "e1 needs e1"),
        ([{"Id": "e1", "Expression": "1"}], "of one period, not of 0 different ones"),
        ([query("m1", "Invocations", AccountId="1", ReturnData=True)], "leave AccountId out of m1"),
    ],
)
def test_refuses_metrics_that_cannot_be_calculated(metrics: list[Any], reason: str) -> None:
    with pytest.raises(AlarmRefusedError, match=reason):
        Alarm.read(describe(MetricName=None, Metrics=metrics))


def test_counts_what_is_put_for_the_moment_when_it_arrives_unless_it_is_of_another_time() -> None:
    assert choose_time(1000.5, 1000) == 1000.5
    assert choose_time(1000.5, 100) == 100


def describe_idle(days: int) -> dict[str, Any]:
    """An alarm for an endpoint that stands and is not called."""
    parts = [query("samples", MACHINES.name), query("requests", "Invocations")]
    parts[0]["MetricStat"]["Metric"]["Namespace"] = MACHINES.namespace
    for part, statistic in zip(parts, ("SampleCount", "Sum"), strict=True):
        part["MetricStat"] |= {"Period": 3600, "Stat": statistic}
    return {
        "Metrics": [*parts, {"Id": "idle", "Expression": "IF(samples > 0, FILL(requests, 0))"}],
        "EvaluationPeriods": 24 * days,
        "Threshold": 0,
        "ComparisonOperator": "LessThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }


@pytest.mark.parametrize(("days", "cadence"), [(1, 60), (2, 3600), (7, 3600)])
def test_evaluates_alarms_that_look_back_more_than_a_day_once_an_hour(days: int, cadence: int) -> None:
    assert Alarm.read(describe_idle(days)).cadence == cadence


@pytest.mark.parametrize(
    ("since_hours", "called_hours_ago", "state"),
    [
        (48, None, State.ALARM),
        (47, None, State.OK),
        (100, 10, State.OK),
        (100, 60, State.ALARM),
    ],
)
def test_goes_off_for_an_endpoint_that_stands_for_days_without_a_call(
    store: MetricStore, since_hours: int, called_hours_ago: int | None, state: State
) -> None:
    now = NOW // 3600 * 3600
    store.note_standing([MACHINES], now - since_hours * 3600)
    if called_hours_ago is not None:
        store.put(
            Metric.of("AWS/SageMaker", "Invocations", ENDPOINT), Datum.of(1, time=now - called_hours_ago * 3600 + 1)
        )

    assert Alarm.read(describe_idle(2)).evaluate(store, now, State.OK).state is state


def test_does_not_go_off_for_an_endpoint_that_is_gone(store: MetricStore) -> None:
    now = NOW // 3600 * 3600
    store.note_standing([MACHINES], now - 100 * 3600)
    store.note_standing([], now - 10 * 3600)

    assert Alarm.read(describe_idle(2)).evaluate(store, now, State.ALARM).state is State.OK


@pytest.mark.parametrize("days", [1, 2])
def test_foresees_when_what_stands_sets_it_off(store: MetricStore, days: int) -> None:
    alarm, now = Alarm.read(describe_idle(days)), NOW // 3600 * 3600
    store.note_standing([MACHINES], now)
    due = now + alarm.cadence

    change = alarm.find_change(store, evaluated=now, due=due, current=State.OK)

    assert change is not None
    assert alarm.evaluate(store, change, State.OK).state is State.ALARM
    assert alarm.evaluate(store, change - alarm.cadence, State.OK).state is State.OK
    assert alarm.find_change(store, evaluated=change, due=change + alarm.cadence, current=State.ALARM) is None
