"""Application Auto Scaling for the machines of endpoints: targets, and policies that track their requests.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from headrace.local.clock import CLOCK
from headrace.local.engine.moving import Fired, Happened
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.sagemaker.errors import SageMakerError
from headrace.schedules import Schedule, ScheduleError, list_timezones, parse_schedule

# Alarms of target tracking: three minutes above the target, fifteen well below it.
_MINUTES_ABOVE: Final = 3
_MINUTES_BELOW: Final = 15
_SHARE_BELOW: Final = 0.9
_DEFAULT_COOLDOWN: Final = 300
_MINUTE_SECONDS: Final = 60
_VARIANT: Final = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
_METRIC: Final = "SageMakerVariantInvocationsPerInstance"

# The requests that each machine of a variant got in each of the last minutes, the oldest first; None without any.
ReadRequests = Callable[[str, str, int], Sequence[float | None]]
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

logger = logging.getLogger(__name__)


@dataclass
class Action:
    """A scheduled action.

    Args:
        request: What asked for it.
        schedule: When it is due.
        due_at: When it is due next; None for never again.
    """

    request: Mapping[str, Any]
    schedule: Schedule
    due_at: datetime | None


@dataclass
class Target:
    """A variant that is scaled.

    Args:
        endpoint: The endpoint's name.
        variant: The variant's.
        least: The fewest machines.
        most: The most.
        tags: Its tags.
    """

    endpoint: str
    variant: str
    least: int = 1
    most: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
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
        read_clock: The time on the clock of what waits, in seconds.
        read_date: The date of the local cloud.
    """

    def __init__(
        self,
        call: Call,
        read_requests: ReadRequests,
        read_clock: Callable[[], float] = time.time,
        read_date: Callable[[], datetime] = CLOCK.now,
    ) -> None:
        self._call = call
        self._read_requests = read_requests
        self._read_clock = read_clock
        self._lock = threading.RLock()
        self._resized = Happened()
        self._targets: dict[str, Target] = {}
        self._read_date = read_date
        self._failures: set[str] = set()

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What an operation answers.

        Raises:
            ServiceRefusedError: If it is refused, or not served.
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
            raise ServiceRefusedError("ValidationException", f"{operation} is not served by the local cloud.")
        with self._lock:
            return serve(request)

    def find_tags(self, request: Mapping[str, Any]) -> Mapping[str, str]:
        """The tags of the target that a request is about; none where there is no such target."""
        with self._lock:
            target = self._targets.get(str(request.get("ResourceId", "")))
            return target.tags if target else {}

    def find_due(self) -> float | None:
        """In how many seconds a schedule is due, or requests of another minute can be looked at; None for neither.

        Requests are only waited for where they would change anything.
        """
        with self._lock:
            targets = list(self._targets.values())
        due_at = [action.due_at for target in targets for action in target.actions.values() if action.due_at]
        seconds = [max(0.0, (moment - self._read_date()).total_seconds()) for moment in due_at]
        is_asked = any(
            minute is not None
            for target in targets
            if target.policies
            for minute in self._read_requests(target.endpoint, target.variant, _MINUTES_BELOW)
        )
        if is_asked:
            seconds.append(_MINUTE_SECONDS - self._read_clock() % _MINUTE_SECONDS)
        return min(seconds, default=None)

    def tick(self) -> list[Fired]:
        """Resize what its schedules and policies say, and forget what is gone; what was done since the last time."""
        self.follow()
        return self._resized.take()

    def follow(self) -> None:
        """Resize what its schedules and policies say, and forget what is gone."""
        with self._lock:
            for name, target in list(self._targets.items()):
                try:
                    self._resized.note(self._tick_target(name, target))
                except SageMakerError as error:
                    logger.info("not_scaled target=%s error=%s", name, error)
                except Exception as error:  # noqa: BLE001 - whatever goes wrong with a target, the others are scaled on
                    self._log_once(name, error)

    def _tick_target(self, name: str, target: Target) -> list[Fired]:
        count = self._count_machines(target)
        if count is None:
            del self._targets[name]
            return []
        return self._run_due(target, count) or list(self._track(target, count))

    def _log_once(self, name: str, error: Exception) -> None:
        failure = f"{name} {error!r}"
        if failure not in self._failures:
            self._failures.add(failure)
            logger.error("scaling_failed target=%s", name, exc_info=error)

    def _run_due(self, target: Target, count: int) -> list[Fired]:
        """Set the bounds of the scheduled actions that are due, those of the last one in the end."""
        now = self._read_date()
        due = [(action.due_at, action) for action in target.actions.values() if action.due_at and action.due_at <= now]
        fired = []
        for due_at, action in sorted(due, key=lambda each: each[0]):
            bounds = action.request.get("ScalableTargetAction", {})
            target.least, target.most = bounds.get("MinCapacity", target.least), bounds.get("MaxCapacity", target.most)
            action.due_at = action.schedule.next_after(now)
            what = f"schedule {action.request['ScheduledActionName']} of {target.endpoint}"
            fired.append(Fired(due_at, what, f"{target.least} to {target.most} machines"))
        if fired:
            self._keep_bounds(target, count)
        return fired

    def _keep_bounds(self, target: Target, count: int) -> None:
        wanted = min(max(count, target.least), target.most)
        if wanted != count:
            self._resize(target, wanted)

    def _track(self, target: Target, count: int) -> Iterator[Fired]:
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
                yield Fired(CLOCK.now(), f"scaling of {target.endpoint}", f"{count} → {wanted} machines")

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
        target = known or Target(found["endpoint"], found["variant"], tags=request.get("Tags", {}))
        least, most = request.get("MinCapacity", target.least), request.get("MaxCapacity", target.most)
        if not 1 <= least <= most:
            raise ServiceRefusedError(
                "ValidationException", f"MinCapacity {least} must be at least 1, and not above MaxCapacity {most}."
            )
        count = self._count_machines(target)
        if count is None:
            raise ServiceRefusedError(
                "ValidationException", f"{name} was not found, or has no instances that could be scaled."
            )
        target.least, target.most = least, most
        self._targets[name] = target
        self._keep_bounds(target, count)
        return {}

    def _deregister(self, request: Mapping[str, Any]) -> dict[str, Any]:
        del self._targets[self._find_name(request)]
        return {}

    def _put_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self._targets[self._find_name(request)]
        config = request.get("TargetTrackingScalingPolicyConfiguration", {})
        metric = config.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if request.get("PolicyType") != "TargetTrackingScaling" or metric != _METRIC:
            raise ServiceRefusedError(
                "ValidationException", f"The local cloud serves TargetTrackingScaling on {_METRIC} alone."
            )
        arn = f"arn:aws:autoscaling:::scalingPolicy:{request['PolicyName']}"
        target.policies[request["PolicyName"]] = {**request, "PolicyARN": arn}
        return {"PolicyARN": arn, "Alarms": []}

    def _delete_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return _forget(self._targets[self._find_name(request)].policies, request["PolicyName"])

    def _put_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        target = self._targets[self._find_name(request)]
        now = self._read_date()
        timezone = request.get("Timezone", "UTC")
        if timezone not in list_timezones():
            raise ServiceRefusedError("ValidationException", f"Timezone {timezone} is not a time zone.")
        try:
            schedule = parse_schedule(request.get("Schedule", ""), timezone, now)
        except ScheduleError as error:
            raise ServiceRefusedError("ValidationException", f"Schedule {request.get('Schedule')}: {error}.") from error
        due_at = schedule.next_after(now)
        if not due_at:
            raise ServiceRefusedError("ValidationException", f"Schedule {request['Schedule']} is past.")
        target.actions[request["ScheduledActionName"]] = Action(request, schedule, due_at)
        return {}

    def _delete_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return _forget(self._targets[self._find_name(request)].actions, request["ScheduledActionName"])

    def _describe_targets(self, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = request.get("ResourceIds", list(self._targets))
        return {"ScalableTargets": [self._targets[name].describe() for name in asked if name in self._targets]}

    def _describe_policies(self, request: Mapping[str, Any]) -> dict[str, Any]:
        names = request.get("PolicyNames")
        found = [
            target.describe_kept(policy)
            for target in self._list_asked(request)
            for name, policy in target.policies.items()
            if not names or name in names
        ]
        return {"ScalingPolicies": found}

    def _describe_actions(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [t.describe_kept(each.request) for t in self._list_asked(request) for each in t.actions.values()]
        return {"ScheduledActions": found}

    def _list_asked(self, request: Mapping[str, Any]) -> list[Target]:
        return [target for name, target in self._targets.items() if request.get("ResourceId", name) == name]

    def _find_name(self, request: Mapping[str, Any]) -> str:
        name, _ = self._read_name(request)
        if name not in self._targets:
            raise ServiceRefusedError("ObjectNotFoundException", f"No scalable target was found for {name}.")
        return name

    def _read_name(self, request: Mapping[str, Any]) -> tuple[str, re.Match[str]]:
        name = str(request.get("ResourceId", ""))
        found = _VARIANT.fullmatch(name)
        if (
            not found
            or request.get("ServiceNamespace") != "sagemaker"
            or request.get("ScalableDimension") != _DIMENSION
        ):
            raise ServiceRefusedError(
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


def _forget(kept: dict[str, Any], name: str) -> dict[str, Any]:
    if kept.pop(name, None) is None:
        raise ServiceRefusedError("ObjectNotFoundException", f"{name} was not found.")
    return {}
