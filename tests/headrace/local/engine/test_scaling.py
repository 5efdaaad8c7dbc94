"""Targets of Application Auto Scaling: registered, resized by the requests of their machines, forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from headrace.local.engine.scaling import Scaling, ScalingRefusedError, choose_count
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
    scaling = Scaling(shop.call, shop.read, lambda: shop.now)
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
    with pytest.raises(ScalingRefusedError) as refused:
        scaling.answer(operation, request_)

    assert refused.value.code == code
