"""Application Auto Scaling added to MiniStack, which has none: its requests, its tasks, its permissions, its clock."""

import importlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from headrace.local.clock import CLOCK, to_machine_seconds
from headrace.local.engine.access.needs import Need, name_sagemaker
from headrace.local.engine.alarms.store import Metric
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.ministack.access import Access
from headrace.local.engine.ministack.alarms import Alarms
from headrace.local.engine.ministack.callers import add_tags
from headrace.local.engine.ministack.json_service import handle_json
from headrace.local.engine.scaling import Scaling
from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.sagemaker.endpoint_metrics import NAMESPACE

SERVICE: Final = "application-autoscaling"
_TARGET_PREFIX: Final = "AnyScaleFrontendService"
_TICK_SECONDS: Final = 10
_MINUTE: Final = 60
_SERVICE_ROLE: Final = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


def install_scaling(sagemaker: SageMaker, alarms: Alarms, access: Access) -> Scaling:
    """Teach MiniStack to serve Application Auto Scaling, also to state machines."""
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    scaling = Scaling(sagemaker.call, _read_from(alarms), CLOCK.read_waits)

    def list_needs(operation: str, request: Mapping[str, Any]) -> Iterator[Need]:
        for need in list_scaling_needs(operation, request, scaling.find_tags(request)):
            yield add_tags(need, sagemaker) if need.action.startswith("sagemaker:") else need

    app.SERVICE_HANDLERS[SERVICE] = handle_json(scaling.answer, access=access, list_needs=list_needs)
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [f"{_TARGET_PREFIX}."],
        "host_patterns": [r"application-autoscaling\."],
        "credential_scope": SERVICE,
    }
    states._AWS_SDK_SERVICE_MAP["applicationautoscaling"] = {
        "target_prefix": _TARGET_PREFIX,
        "protocol": "json",
        "service_key": SERVICE,
    }
    states._AWS_SDK_ERROR_PREFIX["applicationautoscaling"] = "ApplicationAutoScaling"
    threading.Thread(target=_tick_for_ever, args=[scaling], name="scaling", daemon=True).start()
    return scaling


def list_scaling_needs(operation: str, request: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[Need]:
    """What a caller must be allowed; all targets have one number here, as who calls does not know theirs.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html,
    https://docs.aws.amazon.com/autoscaling/application/userguide/resource-tagging-support.html

    Args:
        operation: What is called.
        request: With what.
        tags: The tags of the target that it is about.
    """
    given: Mapping[str, str] = request.get("Tags", {})
    asked = {f"aws:RequestTag/{key}": value for key, value in given.items()} | (
        {"aws:TagKeys": list(given)} if given else {}
    )
    context = {
        f"{SERVICE}:service-namespace": request.get("ServiceNamespace", ""),
        f"{SERVICE}:scalable-dimension": request.get("ScalableDimension", ""),
        **{f"aws:ResourceTag/{key}": value for key, value in tags.items()},
        **asked,
    }
    target = f"arn:aws:{SERVICE}:{REGION}:{ACCOUNT}:scalable-target/0"
    is_list = operation.startswith("Describe")
    yield Need(action=f"{SERVICE}:{operation}", resource="*" if is_list else target, context={} if is_list else context)
    if given:
        yield Need(action=f"{SERVICE}:TagResource", resource=target, context=asked)
    resource = str(request.get("ResourceId", ""))
    if operation == "RegisterScalableTarget":
        endpoint = name_sagemaker("Endpoint", resource.split("/")[1]) if resource.count("/") == 3 else "*"
        for action in ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"):
            yield Need(action=f"sagemaker:{action}", resource=endpoint)
        service = {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
        yield Need(action="iam:CreateServiceLinkedRole", resource=_SERVICE_ROLE, context=service)
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:TargetTracking-{resource}-0"
    for action in _ALARM_ACTIONS.get(operation, ()):
        yield Need(action=f"cloudwatch:{action}", resource=alarm)


_ALARM_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "PutScalingPolicy": ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"),
    "DeregisterScalableTarget": ("DeleteAlarms",),
    "DeleteScalingPolicy": ("DeleteAlarms",),
}


def _read_from(alarms: Alarms) -> Callable[[str, str, int], Sequence[float | None]]:
    def read(endpoint: str, variant: str, minutes: int) -> Sequence[float | None]:
        metric = Metric.of(NAMESPACE, "InvocationsPerInstance", {"EndpointName": endpoint, "VariantName": variant})
        end = CLOCK.read_waits() // _MINUTE * _MINUTE
        return alarms.read(metric, "Sum", period=_MINUTE, end=end, count=minutes)

    return read


def _tick_for_ever(scaling: Scaling) -> None:
    while True:
        time.sleep(to_machine_seconds(_TICK_SECONDS))
        scaling.follow()
