"""What was used, counted by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from headrace.inventory.prices import usual_prices
from headrace.local.clock import Clock
from headrace.local.engine.ministack import usage as of_ministack
from headrace.local.sagemaker.billing import read_billed_seconds
from headrace.local.usage import SECONDS_PER_HOUR, Key, Standing, Usage, Use

START = datetime(2026, 11, 30, tzinfo=UTC)
ENDPOINT: Key = ("instance:ml.m5.large", "Endpoint sales")
DISK: Key = ("s3-gb-month", "bucket work")


@pytest.fixture
def clock() -> Clock:
    return Clock(START.timestamp)


def test_adds_up_what_is_used(clock: Clock) -> None:
    usage = Usage(clock)
    usage.add("s3-get", "bucket work")
    usage.add("s3-get", "bucket work", 2)
    usage.read_also(lambda: [Use("transition", "state machine a", 5)])

    assert usage.list_uses() == [Use("s3-get", "bucket work", 3), Use("transition", "state machine a", 5)]
    assert usage.describe()["since"] == START.isoformat()


def test_bills_what_stands_for_the_time_between_two_samples(clock: Clock) -> None:
    rates = {ENDPOINT: 2 / SECONDS_PER_HOUR}
    usage = Usage(clock)
    usage.watch(Standing(lambda: rates, clock))

    usage.sample(36_000)
    clock.move(36_000)
    rates.clear()
    usage.sample(50_400)
    clock.move(50_400)

    (used,) = usage.list_uses()
    assert used.thing == "Endpoint sales"
    assert used.quantity == pytest.approx(20)


def test_looks_at_what_is_dear_to_measure_once_an_hour_and_before_long_moves(clock: Clock) -> None:
    seen: list[float] = []

    def read() -> dict[Key, float]:
        seen.append(clock.time() - START.timestamp())
        return {DISK: 1.0}

    usage = Usage(clock)
    usage.watch(Standing(read, clock, seconds=SECONDS_PER_HOUR))
    for seconds in (60, 60, 7200):
        usage.sample(seconds)
        clock.move(seconds)

    assert seen == [0, 120]
    assert usage.list_uses() == [Use(*DISK, 7320)]


@pytest.mark.parametrize(
    ("described", "seconds"),
    [
        ({"BillableTimeInSeconds": 30, "TrainingStartTime": START}, 30),
        ({"ProcessingStartTime": START, "ProcessingEndTime": START + timedelta(minutes=2)}, 120),
        ({"TransformStartTime": START, "TransformEndTime": START + timedelta(seconds=5)}, 5),
        ({"CreationTime": START}, 0),
    ],
)
def test_bills_a_job_from_its_start_to_its_end(described: dict[str, object], seconds: float) -> None:
    assert read_billed_seconds(described) == seconds


@pytest.mark.parametrize(
    ("method", "key", "price"),
    [
        ("GET", "a", "s3-get"),
        ("HEAD", "a/b", "s3-get"),
        ("GET", "", "s3-list"),
        ("PUT", "a", "s3-put"),
        ("DELETE", "a", ""),
    ],
)
def test_names_the_price_of_a_request(method: str, key: str, price: str) -> None:
    assert of_ministack.name_request(method, key) == price
    assert not price or usual_prices().find(price)


def test_counts_states_and_their_retries() -> None:
    kinds = ["ExecutionStarted", "PassStateEntered", "TaskStateEntered", "TaskScheduled", "TaskFailed", "TaskScheduled"]

    assert of_ministack.count_transitions([{"type": kind} for kind in kinds]) == 3
