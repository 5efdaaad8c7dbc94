from typing import Any

import pytest

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.rollout import Rollout, read_rollout


def routing(kind: str = "ALL_AT_ONCE", wait: int = 0, **sizes: Any) -> dict[str, Any]:
    return {"Type": kind, "WaitIntervalInSeconds": wait} | sizes


def blue_green(traffic: dict[str, Any], **policy: Any) -> dict[str, Any]:
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic} | policy}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize("config", [None, {}])
def test_moves_all_requests_at_once_without_a_config(config: dict[str, Any] | None) -> None:
    assert read_rollout(config, 1) == Rollout()


@pytest.mark.parametrize(
    ("traffic", "shares"),
    [
        (routing(), [1]),
        (routing("CANARY", CanarySize=percent(10)), [0.1, 1]),
        (routing("CANARY", CanarySize=count(2)), [0.5, 1]),
        (routing("LINEAR", LinearStepSize=percent(25)), [0.25, 0.5, 0.75, 1]),
        (routing("LINEAR", LinearStepSize=percent(40)), [0.4, 0.8, 1]),
        (routing("LINEAR", LinearStepSize=count(1)), [0.25, 0.5, 0.75, 1]),
    ],
)
def test_moves_requests_by_the_steps_that_are_asked_for(traffic: dict[str, Any], shares: list[float]) -> None:
    assert read_rollout(blue_green(traffic), 4).shares == pytest.approx(shares)


def test_reads_waits_and_alarms() -> None:
    config = blue_green(routing(wait=60), TerminationWaitInSeconds=30, MaximumExecutionTimeoutInSeconds=600)
    alarms = {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]}

    rollout = read_rollout({**config, "AutoRollbackConfiguration": alarms}, 1)

    assert (rollout.wait_seconds, rollout.termination_seconds, rollout.timeout_seconds) == (60, 30, 600)
    assert rollout.alarms == ("errors", "latency")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"RollingUpdatePolicy": {}}, "RollingUpdatePolicy is not served"),
        (blue_green(routing("CANARY")), "CanarySize must be specified when traffic routing type is CANARY"),
        (blue_green(routing("LINEAR", CanarySize=percent(10))), "CanarySize must not be specified .* is LINEAR"),
        (blue_green(routing(LinearStepSize=percent(10))), "LinearStepSize must not be .* is ALL_AT_ONCE"),
        (blue_green(routing("CANARY", CanarySize=percent(51))), "CanarySize must be at most 50% .* not 51%"),
        (blue_green(routing("CANARY", CanarySize=count(3))), "CanarySize must be at most 50% .* not 75%"),
        (blue_green(routing("LINEAR", LinearStepSize=percent(9))), "must be between 10% and 50% .* not 9%"),
        (blue_green(routing("CANARY", CanarySize={"Value": 1})), "CanarySize needs Type and Value"),
        (
            blue_green(routing("CANARY", 300, CanarySize=percent(10)), MaximumExecutionTimeoutInSeconds=600),
            r"MaximumExecutionTimeoutInSeconds \(600\) must be larger than the total .* \(600\)",
        ),
        (
            {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "a"}]}},
            "Alarm names in AutoRollbackConfiguration must be unique",
        ),
    ],
)
def test_refuses_what_sagemaker_would_not_take(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(RequestRefusedError, match=reason):
        read_rollout(config, 4)
