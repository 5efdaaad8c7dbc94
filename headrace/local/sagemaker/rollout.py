"""How requests move from the machines that serve to new ones: the steps of an update, and what stops it.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.local.sagemaker.errors import RequestRefusedError

_MOST_PERCENT: Final = 50
_LEAST_LINEAR_PERCENT: Final = 10
_SIZES: Final[Mapping[str, str]] = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The steps of an update.

    Args:
        shares: What part of the requests the new machines get, step by step; the last is all of them.
        wait_seconds: How long alarms are watched after each step,
        termination_seconds: and how long the old machines stay after that.
        timeout_seconds: After how long the update is given up.
        alarms: What is watched.
    """

    shares: Sequence[float] = (1.0,)
    wait_seconds: float = 0
    termination_seconds: float = 0
    timeout_seconds: float = float("inf")
    alarms: Sequence[str] = ()


def read_rollout(config: Mapping[str, Any] | None, instances: int) -> Rollout:
    """The steps that a DeploymentConfig asks for; all at once without one.

    Args:
        config: The DeploymentConfig, whose shape is known to be right.
        instances: How many instances the new configuration has.

    Raises:
        RequestRefusedError: If SageMaker would not take it, or the local cloud does not serve it.
    """
    config = config or {}
    if "RollingUpdatePolicy" in config:
        raise RequestRefusedError(
            "RollingUpdatePolicy is not served by the local cloud, whose fleets are of one process; use "
            "BlueGreenUpdatePolicy."
        )
    alarms = tuple(alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", []))
    if len(set(alarms)) < len(alarms):
        raise RequestRefusedError("Alarm names in AutoRollbackConfiguration must be unique.")
    policy = config.get("BlueGreenUpdatePolicy")
    if policy is None:
        return Rollout(alarms=alarms)
    routing = policy["TrafficRoutingConfiguration"]
    rollout = Rollout(
        shares=_list_shares(routing, instances),
        wait_seconds=routing["WaitIntervalInSeconds"],
        termination_seconds=policy.get("TerminationWaitInSeconds", 0),
        timeout_seconds=policy.get("MaximumExecutionTimeoutInSeconds", float("inf")),
        alarms=alarms,
    )
    _check_timeout(rollout)
    return rollout


def _list_shares(routing: Mapping[str, Any], instances: int) -> tuple[float, ...]:
    kind = routing["Type"]
    for other, name in _SIZES.items():
        if (name in routing) != (other == kind):
            raise RequestRefusedError(
                f"{name} must {'' if other == kind else 'not '}be specified when traffic routing type is {kind}."
            )
    if kind not in _SIZES:
        return (1.0,)
    percent = _read_percent(_SIZES[kind], routing[_SIZES[kind]], instances)
    least = _LEAST_LINEAR_PERCENT if kind == "LINEAR" else 0
    if not least <= percent <= _MOST_PERCENT:
        between = f"between {least}% and {_MOST_PERCENT}%" if least else f"at most {_MOST_PERCENT}%"
        raise RequestRefusedError(f"{_SIZES[kind]} must be {between} of the variant's capacity, not {percent:g}%.")
    if kind == "CANARY":
        return (percent / 100, 1.0)
    return (*(step * percent / 100 for step in range(1, _count_steps(percent))), 1.0)


def _count_steps(percent: float) -> int:
    return int(-(-100 // percent))


def _read_percent(name: str, size: Mapping[str, Any], instances: int) -> float:
    if "Type" not in size or "Value" not in size:
        raise RequestRefusedError(f"{name} needs Type and Value.")
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"])
    return 100 * float(size["Value"]) / instances


def _check_timeout(rollout: Rollout) -> None:
    waits = len(rollout.shares) * rollout.wait_seconds + rollout.termination_seconds
    if rollout.timeout_seconds <= waits:
        raise RequestRefusedError(
            f"MaximumExecutionTimeoutInSeconds ({rollout.timeout_seconds:g}) must be larger than the total waiting "
            f"time of the deployment ({waits:g})."
        )
