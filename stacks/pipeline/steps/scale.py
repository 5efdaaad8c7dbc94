"""Have the endpoint scaled by Application Auto Scaling, or no longer; it serves, whatever becomes of that.

The state machine makes the endpoint, so nothing of a template could name it as a scalable target.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from aws_cdk import Aws

from stacks.pipeline.asl import ALWAYS, CALL_SECONDS, Catch, Choice, Pass, Retry, Rule, State, Task, jsonata, retry_busy
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.jobs import VARIANT_NAME
from stacks.pipeline.permission import Permission
from stacks.pipeline.scaling_permissions import ScalingPermissions
from stacks.pipeline.step import Step
from stacks.pipeline.turns import while_held
from stacks.settings.scaling import ScalingScheduleSettings, ScalingSettings

# What must be assigned before, and the key of the output that says what is not as the settings ask for.
VARIABLES: Final[Mapping[str, Any]] = {"scaling": jsonata("{}"), "serving_type": jsonata("''")}
OUTPUT: Final[Mapping[str, Any]] = {"Scaling": jsonata("$scaling")}
_POLICY_PREFIX: Final = "headrace-invocations"
_DIGITS: Final = 12

_RELEASE: Final = "Release From Scaling"
_RELEASE_TO_STOP: Final = "Release To Stop"
_OTHER_TYPE: Final = "Has Another Instance Type"
_LOOK: Final = "Look At Scaling"
_IS_AS_ASKED: Final = "Scaled As Asked"
_FORGET: Final = "Forget Scaling"
_REGISTER: Final = "Register For Scaling"
_TRACK: Final = "Track Requests"
_SCALES: Final = "Scales"
_NOT_SCALED: Final = "Scaling Not As Asked"
_SCHEDULE: Final = "Schedule Scaling"
_NOT_REGISTERED: Final = "ApplicationAutoScaling.ObjectNotFoundException"
# Application Auto Scaling is still at work on the target, after a registration or an update.
_AT_WORK: Final = Retry(
    errors=("ApplicationAutoScaling.ConcurrentUpdateException", "ApplicationAutoScaling.InternalServiceException"),
    interval_seconds=5,
    max_attempts=5,
)
# A target that was registered just now is not seen everywhere yet, nor are the alarms of its policy:
# https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
_NOT_SEEN_YET: Final = Retry(
    errors=(_NOT_REGISTERED, "ApplicationAutoScaling.FailedResourceAccessException"),
    interval_seconds=5,
    max_attempts=5,
)
_SDK: Final = f"arn:{Aws.PARTITION}:states:::aws-sdk:applicationautoscaling"
_RETRY: Final = (_AT_WORK, retry_busy("ApplicationAutoScaling"))
_ENDPOINT: Final = f"'endpoint/' & $endpoint_name & '/variant/{VARIANT_NAME}'"
_TARGET: Final[Mapping[str, Any]] = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": jsonata(_ENDPOINT),
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def release(instance_type: str, permissions: ScalingPermissions) -> Step:
    """Take an endpoint whose machines become others out of scaling, as SageMaker refuses to update it otherwise.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """

    def states(after: str) -> Mapping[str, State]:
        other = Rule(condition=f"$not($serving_type in ['', 'none', '{instance_type}'])", next=_RELEASE)
        return {
            _OTHER_TYPE: Choice(rules=(other,), default=after),
            # Where it cannot be taken out, the update says why.
            _RELEASE: _deregister(
                permissions,
                after,
                Catch(errors=("States.ALL",), next=after),
                endpoint=while_held(_ENDPOINT),
            ),
        }

    return states


def release_to_stop(permissions: ScalingPermissions) -> Step:
    """Take an endpoint out of scaling that has been deleted, whatever becomes of that."""
    return lambda after: {
        _RELEASE_TO_STOP: _deregister(
            permissions, after, Catch(errors=("States.ALL",), next=after), endpoint=while_held(_ENDPOINT)
        )
    }


def scale(settings: ScalingSettings, permissions: ScalingPermissions) -> Step:
    """Scale `$endpoint_name` as the settings say; `$scaling` is how that went.

    Where these settings were set already, everything stays as schedules and people have left it: to set bounds anew
    could take machines away. Otherwise the endpoint is taken out first, which removes schedules that the settings no
    longer have.
    """
    catch = Catch(
        errors=("States.ALL",),
        assign={"scaling": {"Left": jsonata(f"$states.context.State.Name & ': ' & {CAUSE}")}},
        next=_NOT_SCALED,
    )

    def states(after: str) -> Mapping[str, State]:
        if not settings.enabled:
            return {_FORGET: _deregister(permissions, _SCALES, catch), **_end(after, {"Scales": False})}
        return {
            _LOOK: _look(settings, permissions, catch),
            _IS_AS_ASKED: Choice(rules=(Rule(condition="$scaling.Kept", next=_SCALES),), default=_FORGET),
            _FORGET: _deregister(permissions, _REGISTER, catch),
            **dict(_scale_out_and_in(settings, permissions, catch)),
            **_end(after, {"Scales": True, "Kept": jsonata("$scaling.Kept")}),
        }

    return states


def _end(after: str, outcome: Mapping[str, Any]) -> Mapping[str, State]:
    return {
        _SCALES: Pass(assign={"scaling": outcome}, next=after),
        _NOT_SCALED: Choice(rules=(Rule(condition=ALWAYS, next=after),), default=after),
    }


def name_policy(settings: ScalingSettings) -> str:
    """The name of the policy, which is set last and stands for all of the settings: others give another name."""
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    return f"{_POLICY_PREFIX}-{digest[:_DIGITS]}"


def _look(settings: ScalingSettings, permissions: ScalingPermissions, catch: Catch) -> Task:
    names = {"PolicyNames": [name_policy(settings)]}
    look = _call("describeScalingPolicies", names, _IS_AS_ASKED, (catch,), permissions.allow_looking())
    return replace(
        _wait_for_target(look), assign={"scaling": {"Kept": jsonata("$count($states.result.ScalingPolicies) > 0")}}
    )


def _deregister(
    permissions: ScalingPermissions, next_state: str, catch: Catch, *, endpoint: str = jsonata(_ENDPOINT)
) -> Task:
    missing = Catch(errors=(_NOT_REGISTERED,), next=next_state)
    allowed = permissions.allow_deregistering()
    return _call("deregisterScalableTarget", {"ResourceId": endpoint}, next_state, (missing, catch), allowed)


def _scale_out_and_in(
    settings: ScalingSettings, permissions: ScalingPermissions, catch: Catch
) -> Iterator[tuple[str, Task]]:
    schedules = [f"{_SCHEDULE} {number}" for number in range(1, len(settings.schedules) + 1)]
    after, *others = [*schedules, _TRACK]
    bounds = {"MinCapacity": settings.min_instances, "MaxCapacity": settings.max_instances}
    tagged = {**bounds, "Tags": permissions.tags}
    yield _REGISTER, _call("registerScalableTarget", tagged, after, (catch,), permissions.allow_registering())
    for name, next_state, schedule in zip(schedules, others, settings.schedules, strict=True):
        arguments = _describe_schedule(name, schedule)
        allowed = permissions.allow_scheduling()
        yield name, _wait_for_target(_call("putScheduledAction", arguments, next_state, (catch,), allowed))
    # The last one, as it says that all before it is done.
    policy = _call("putScalingPolicy", _describe_policy(settings), _SCALES, (catch,), permissions.allow_policy())
    yield _TRACK, _wait_for_target(policy)


def _describe_policy(settings: ScalingSettings) -> Mapping[str, Any]:
    return {
        "PolicyName": name_policy(settings),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": settings.invocations_per_minute,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
            },
            "ScaleOutCooldown": settings.scale_out_cooldown_seconds,
            "ScaleInCooldown": settings.scale_in_cooldown_seconds,
        },
    }


def _describe_schedule(name: str, schedule: ScalingScheduleSettings) -> Mapping[str, Any]:
    return {
        "ScheduledActionName": name.lower().replace(" ", "-"),
        "Schedule": schedule.at,
        "Timezone": schedule.timezone,
        "ScalableTargetAction": {"MinCapacity": schedule.min_instances, "MaxCapacity": schedule.max_instances},
    }


def _wait_for_target(task: Task) -> Task:
    """A task about a target, or the alarms of its policy, that may have been made just now."""
    return replace(task, retry=(_NOT_SEEN_YET, *task.retry))


def _call(
    operation: str,
    arguments: Mapping[str, Any],
    next_state: str,
    catch: tuple[Catch, ...],
    permissions: tuple[Permission, ...],
) -> Task:
    return Task(
        resource=f"{_SDK}:{operation}",
        arguments={**_TARGET, **arguments},
        timeout_seconds=CALL_SECONDS,
        retry=_RETRY,
        catch=catch,
        next=next_state,
        permissions=permissions,
    )
