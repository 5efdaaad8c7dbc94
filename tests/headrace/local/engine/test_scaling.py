"""Targets of Application Auto Scaling: registered, resized by the requests of their machines, forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.engine.scaling import Scaling, choose_count
from headrace.local.sagemaker.errors import RequestRefusedError

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/shop/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    "PolicyName": "requests",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 100.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 60,
    },
}

SUNDAY = datetime(2027, 1, 31, 12, tzinfo=UTC)
HOUR = 3600


@dataclass
class Shop:
    """An endpoint with machines, what they are asked, and a clock."""

    machines: int = 1
    minutes: list[float | None] = field(default_factory=list)
    now: float = 0
    is_there: bool = True

    def call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.is_there:
            raise RequestRefusedError("Could not find endpoint")
        if operation == "UpdateEndpointWeightsAndCapacities":
            self.machines = request["DesiredWeightsAndCapacities"][0]["DesiredInstanceCount"]
        return {"ProductionVariants": [{"VariantName": "AllTraffic", "DesiredInstanceCount": self.machines}]}

    def read(self, _endpoint: str, _variant: str, _minutes: int) -> list[float | None]:
        return self.minutes


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def scaling(shop: Shop) -> Scaling:
    scaling = Scaling(shop.call, shop.read, lambda: shop.now, lambda: SUNDAY + timedelta(seconds=shop.now))
    scaling.answer("RegisterScalableTarget", {**TARGET, "MinCapacity": 1, "MaxCapacity": 4})
    scaling.answer("PutScalingPolicy", {**TARGET, **POLICY})
    return scaling


@pytest.mark.parametrize(
    ("minutes", "machines", "wanted"),
    [
        ([150.0, 150.0, 150.0], 2, 3),
        ([150.0, 150.0], 2, 2),
        ([None, 150.0, 150.0], 2, 2),
        ([150.0, 100.0, 150.0], 2, 2),
        ([*[10.0] * 14, 40.0], 4, 2),
        ([*[10.0] * 14, 95.0], 4, 4),
        ([*[10.0] * 14, None], 4, 4),
        ([0.0] * 15, 4, 1),
    ],
)
def test_chooses_machines_by_what_each_was_asked(minutes: list[float | None], machines: int, wanted: int) -> None:
    assert choose_count(minutes, 100, machines) == wanted


def test_brings_the_machines_between_the_bounds_when_they_are_registered(shop: Shop, scaling: Scaling) -> None:
    scaling.answer("RegisterScalableTarget", {**TARGET, "MinCapacity": 3})

    assert shop.machines == 3
    (target,) = scaling.answer("DescribeScalableTargets", {})["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 4)


def test_adds_machines_up_to_the_bound_and_rests_then(shop: Shop, scaling: Scaling) -> None:
    shop.minutes = [300.0] * 15
    scaling.tick()
    assert shop.machines == 3

    shop.now = 59
    scaling.tick()
    assert shop.machines == 3

    shop.now = 60
    scaling.tick()
    assert shop.machines == 4


def test_removes_machines_down_to_the_bound(shop: Shop, scaling: Scaling) -> None:
    shop.machines, shop.minutes = 4, [1.0] * 15

    scaling.tick()

    assert shop.machines == 1


def test_forgets_a_target_whose_endpoint_is_gone(shop: Shop, scaling: Scaling) -> None:
    shop.is_there = False
    scaling.tick()

    assert scaling.answer("DescribeScalableTargets", {}) == {"ScalableTargets": []}


def test_takes_policies_and_schedules_away_with_the_target(scaling: Scaling) -> None:
    action = {"ScheduledActionName": "night", "Schedule": "rate(1 day)"}
    scaling.answer("PutScheduledAction", {**TARGET, **action})
    assert scaling.answer("DescribeScheduledActions", {})["ScheduledActions"][0]["Schedule"] == "rate(1 day)"
    scaling.answer("DeregisterScalableTarget", TARGET)
    scaling.answer("RegisterScalableTarget", {**TARGET, "MinCapacity": 1, "MaxCapacity": 4})

    assert scaling.answer("DescribeScalingPolicies", {}) == {"ScalingPolicies": []}
    assert scaling.answer("DescribeScheduledActions", {}) == {"ScheduledActions": []}


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("DeregisterScalableTarget", {**TARGET, "ResourceId": "endpoint/x/variant/y"}, "ObjectNotFoundException"),
        ("RegisterScalableTarget", {**TARGET, "MinCapacity": 5}, "ValidationException"),
        ("RegisterScalableTarget", {**TARGET, "ServiceNamespace": "ecs"}, "ValidationException"),
        ("PutScalingPolicy", {**TARGET, "PolicyName": "steps", "PolicyType": "StepScaling"}, "ValidationException"),
        ("DeleteScalingPolicy", {**TARGET, "PolicyName": "other"}, "ObjectNotFoundException"),
        ("TagResource", {}, "ValidationException"),
    ],
)
def test_refuses_what_it_cannot_do(scaling: Scaling, operation: str, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        scaling.answer(operation, request_)

    assert refused.value.code == code


def put_action(scaling: Scaling, name: str, schedule: str, timezone: str = "UTC", **bounds: int) -> None:
    scaling.answer(
        "PutScheduledAction",
        {
            **TARGET,
            "ScheduledActionName": name,
            "Schedule": schedule,
            "Timezone": timezone,
            "ScalableTargetAction": bounds,
        },
    )


def read_bounds(scaling: Scaling) -> tuple[int, int]:
    (target,) = scaling.answer("DescribeScalableTargets", {})["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def test_sets_bounds_when_a_schedule_is_due_on_the_clock_of_the_local_cloud(shop: Shop, scaling: Scaling) -> None:
    put_action(scaling, "day", "cron(0 8 ? * MON-FRI *)", "Europe/Berlin", MinCapacity=3, MaxCapacity=9)
    put_action(scaling, "night", "cron(0 20 ? * MON-FRI *)", "Europe/Berlin", MinCapacity=1, MaxCapacity=2)

    shop.now = 19 * HOUR - 1
    assert (scaling.tick(), scaling.find_due()) == ([], 1)
    assert (shop.machines, read_bounds(scaling)) == (1, (1, 4))

    shop.now = 19 * HOUR
    (fired,) = scaling.tick()
    assert fired.describe() == {
        "time": "2027-02-01T07:00:00Z",
        "what": "schedule day of shop",
        "outcome": "3 to 9 machines",
    }
    assert (shop.machines, read_bounds(scaling)) == (3, (3, 9))

    shop.now = 31 * HOUR
    scaling.tick()
    assert (shop.machines, read_bounds(scaling)) == (2, (1, 2))

    shop.now = 43 * HOUR
    scaling.tick()
    assert (shop.machines, read_bounds(scaling)) == (3, (3, 9))


def test_sets_the_bounds_of_a_given_time_once(shop: Shop, scaling: Scaling) -> None:
    put_action(scaling, "sale", "at(2027-01-31T13:00:00)", MinCapacity=2)
    shop.now = HOUR
    scaling.tick()
    assert read_bounds(scaling) == (2, 4)

    scaling.answer("RegisterScalableTarget", {**TARGET, "MinCapacity": 1})
    shop.now = 30 * HOUR
    scaling.tick()

    assert read_bounds(scaling) == (1, 4)


@pytest.mark.parametrize(
    ("schedule", "timezone"),
    [
        ("at(2027-01-31T11:59:59)", "UTC"),
        ("at(2027-01-31T12:30:00)", "Europe/Berlin"),
        ("cron(0 0 31 2 ? *)", "UTC"),
        ("daily", "UTC"),
        ("rate(1 day)", "Mars/Olympus"),
    ],
)
def test_refuses_a_schedule_that_is_never_due(scaling: Scaling, schedule: str, timezone: str) -> None:
    with pytest.raises(ServiceRefusedError) as refused:
        put_action(scaling, "never", schedule, timezone, MinCapacity=2)

    assert refused.value.code == "ValidationException"
    assert scaling.answer("DescribeScheduledActions", {}) == {"ScheduledActions": []}


def test_scales_on_after_an_error_that_nobody_expected_and_logs_it_once(
    shop: Shop, scaling: Scaling, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.minutes = [300.0] * 15
    with monkeypatch.context() as broken:
        broken.setattr(shop, "minutes", ["much"] * 15)
        scaling.tick()
        scaling.tick()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "scaling_failed target=endpoint/shop/variant/AllTraffic"
    ]

    scaling.tick()

    assert shop.machines == 3
