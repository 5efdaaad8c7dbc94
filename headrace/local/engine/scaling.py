"""Application Auto Scaling for the machines of endpoints: targets, and policies that track their requests.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.local.sagemaker.errors import SageMakerError

# Alarms of target tracking: three minutes above the target, fifteen well below it.
_MINUTES_ABOVE: Final = 3
_MINUTES_BELOW: Final = 15
_SHARE_BELOW: Final = 0.9
_DEFAULT_COOLDOWN: Final = 300
_VARIANT: Final = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
_METRIC: Final = "SageMakerVariantInvocationsPerInstance"

# The requests that each machine of a variant got in each of the last minutes, the oldest first; None without any.
ReadRequests = Callable[[str, str, int], Sequence[float | None]]
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

logger = logging.getLogger(__name__)


class ScalingRefusedError(Exception):
    """What Application Auto Scaling answers to a request that it does not take.

    Args:
        code: The error's name.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Target:
    """A variant that is scaled.

    Args:
        endpoint: The endpoint's name.
        variant: The variant's.
        least: The fewest machines.
        most: The most.
    """

    endpoint: str
    variant: str
    least: int = 1
    most: int = 1
    policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    actions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    changed_at: float = -math.inf

    def describe(self) -> dict[str, Any]:
        """The target as DescribeScalableTargets has it."""
        return {**self._name(), "MinCapacity": self.least, "MaxCapacity": self.most}

    def describe_kept(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """A policy or a scheduled action of the target."""
        return {**kept, **self._name()}

    def _name(self) -> dict[str, Any]:
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{self.endpoint}/variant/{self.variant}",
            "ScalableDimension": _DIMENSION,
        }


class Scaling:
    """The scalable targets of the account.

    Args:
        call: Calls an operation of SageMaker.
        read_requests: Reads what was asked of a variant's machines.
        read_clock: The time on the local cloud's clock, in seconds.
    """

    def __init__(self, call: Call, read_requests: ReadRequests, read_clock: Callable[[], float] = time.time) -> None:
        self._call = call
        self._read_requests = read_requests
        self._read_clock = read_clock
        self._lock = threading.RLock()
        self._targets: dict[str, Target] = {}

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What an operation answers.

        Raises:
            ScalingRefusedError: If it is refused, or not served.
        """
        serve = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "PutScheduledAction": self._put_action,
            "DeleteScheduledAction": self._delete_action,
            "DescribeScalableTargets": self._describe_targets,
            "DescribeScalingPolicies": self._describe_policies,
            "DescribeScheduledActions": self._describe_actions,
        }.get(operation)
        if serve is None:
            raise ScalingRefusedError("ValidationException", f"{operation} is not served by the local cloud.")
        with self._lock:
            return serve(request)

    def tick(self) -> None:
        """Resize what its policies say, and forget what is gone."""
        with self._lock:
            for name, target in list(self._targets.items()):
                try:
                    count = self._count_machines(target)
                    if count is None:
                        del self._targets[name]
                    else:
                        self._track(target, count)
                except SageMakerError as error:
                    logger.info("not_scaled target=%s error=%s", name, error)

    def _track(self, target: Target, count: int) -> None:
        for policy in target.policies.values():
            config = policy["TargetTrackingScalingPolicyConfiguration"]
            minutes = self._read_requests(target.endpoint, target.variant, _MINUTES_BELOW)
            wanted = choose_count(minutes, float(config["TargetValue"]), count)
            wanted = min(max(wanted, target.least), target.most)
            kind = "ScaleOutCooldown" if wanted > count else "ScaleInCooldown"
            rests_until = target.changed_at + config.get(kind, _DEFAULT_COOLDOWN)
            is_kept = wanted < count and config.get("DisableScaleIn", False)
            if wanted != count and self._read_clock() >= rests_until and not is_kept:
                self._resize(target, wanted)

    def _resize(self, target: Target, count: int) -> None:
        wanted = {"VariantName": target.variant, "DesiredInstanceCount": count}
        self._call(
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": target.endpoint, "DesiredWeightsAndCapacities": [wanted]},
        )
        target.changed_at = self._read_clock()
        logger.info("scaled endpoint=%s instances=%d", target.endpoint, count)

    def _count_machines(self, target: Target) -> int | None:
        """How many machines the variant has or is getting; None without it."""
        try:
            variants = self._call("DescribeEndpoint", {"EndpointName": target.endpoint})["ProductionVariants"]
        except SageMakerError:
            return None
        counts = [each.get("DesiredInstanceCount") for each in variants if each["VariantName"] == target.variant]
        return counts[0] if counts else None

    def _register(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name, found = self._read_name(request)
        known = self._targets.get(name)
        target = known or Target(found["endpoint"], found["variant"])
        least, most = request.get("MinCapacity", target.least), request.get("MaxCapacity", target.most)
        if not 1 <= least <= most:
            raise ScalingRefusedError(
                "ValidationException", f"MinCapacity {least} must be at least 1, and not above MaxCapacity {most}."
            )
        count = self._count_machines(target)
        if count is None:
            raise ScalingRefusedError(
                "ValidationException", f"{name} was not found, or has no instances that could be scaled."
            )
        target.least, target.most = least, most
        self._targets[name] = target
        if not least <= count <= most:
            self._resize(target, min(max(count, least), most))
        return {}

    def _deregister(self, request: Mapping[str, Any]) -> dict[str, Any]:
        del self._targets[self._find_name(request)]
        return {}

    def _put_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self._targets[self._find_name(request)]
        config = request.get("TargetTrackingScalingPolicyConfiguration", {})
        metric = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if request.get("PolicyType") != "TargetTrackingScaling" or metric != _METRIC:
            raise ScalingRefusedError(
                "ValidationException", f"The local cloud serves TargetTrackingScaling on {_METRIC} alone."
            )
        arn = f"arn:aws:autoscaling:::scalingPolicy:{request['PolicyName']}"
        target.policies[request["PolicyName"]] = {**request, "PolicyARN": arn}
        return {"PolicyARN": arn, "Alarms": []}

    def _delete_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return _forget(self._targets[self._find_name(request)].policies, request["PolicyName"])

    def _put_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self._targets[self._find_name(request)]
        target.actions[request["ScheduledActionName"]] = request
        return {}

    def _delete_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return _forget(self._targets[self._find_name(request)].actions, request["ScheduledActionName"])

    def _describe_targets(self, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = request.get("ResourceIds", list(self._targets))
        return {"ScalableTargets": [self._targets[name].describe() for name in asked if name in self._targets]}

    def _describe_policies(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [t.describe_kept(each) for t in self._list_asked(request) for each in t.policies.values()]
        return {"ScalingPolicies": found}

    def _describe_actions(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [t.describe_kept(each) for t in self._list_asked(request) for each in t.actions.values()]
        return {"ScheduledActions": found}

    def _list_asked(self, request: Mapping[str, Any]) -> list[Target]:
        return [target for name, target in self._targets.items() if request.get("ResourceId", name) == name]

    def _find_name(self, request: Mapping[str, Any]) -> str:
        name, _ = self._read_name(request)
        if name not in self._targets:
            raise ScalingRefusedError("ObjectNotFoundException", f"No scalable target was found for {name}.")
        return name

    def _read_name(self, request: Mapping[str, Any]) -> tuple[str, re.Match[str]]:
        name = str(request.get("ResourceId", ""))
        found = _VARIANT.fullmatch(name)
        if (
            not found
            or request.get("ServiceNamespace") != "sagemaker"
            or request.get("ScalableDimension") != _DIMENSION
        ):
            raise ScalingRefusedError(
                "ValidationException", f"The local cloud scales {_DIMENSION} of endpoint/NAME/variant/VARIANT alone."
            )
        return name, found


def choose_count(minutes: Sequence[float | None], target: float, count: int) -> int:
    """How many machines there should be, whatever the bounds.

    Minutes without requests have no metric, and where one is missing nothing is removed, as on AWS.

    Args:
        minutes: The requests that each machine got in each of the last minutes.
        target: How many it should get.
        count: How many machines there are.
    """
    last = [each for each in minutes[-_MINUTES_ABOVE:] if each is not None]
    if len(last) == _MINUTES_ABOVE and min(last) > target:
        return math.ceil(count * max(last) / target)
    if all(each is not None and each < _SHARE_BELOW * target for each in minutes[-_MINUTES_BELOW:]):
        most = max(each or 0 for each in minutes)
        return max(1, min(count, math.ceil(count * most / target)))
    return count


def _forget(kept: dict[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    if kept.pop(name, None) is None:
        raise ScalingRefusedError("ObjectNotFoundException", f"{name} was not found.")
    return {}
