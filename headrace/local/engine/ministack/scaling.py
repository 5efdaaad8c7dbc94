"""Application Auto Scaling added to MiniStack, which has none: its requests, its tasks, its permissions, its clock."""

import asyncio
import importlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from headrace.local.clock import to_cloud_seconds, to_machine_seconds
from headrace.local.engine.access.needs import Need, name_sagemaker
from headrace.local.engine.alarms.store import Metric
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.ministack.access import Access, DeniedError
from headrace.local.engine.ministack.alarms import Alarms
from headrace.local.engine.scaling import Scaling, ScalingRefusedError
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

Answer = tuple[int, dict[str, str], bytes]


def install_scaling(sagemaker: SageMaker, alarms: Alarms, access: Access) -> None:
    """Teach MiniStack to serve Application Auto Scaling, also to state machines."""
    app: Any = importlib.import_module("ministack.app")
    router: Any = importlib.import_module("ministack.core.router")
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    scaling = Scaling(sagemaker.call, _read_from(alarms), lambda: to_cloud_seconds(time.time()))
    app.SERVICE_HANDLERS[SERVICE] = _handler(scaling, access, router)
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


def list_scaling_needs(operation: str, request: Mapping[str, Any]) -> Iterator[Need]:
    """What a caller must be allowed; all targets have one number here, as who calls does not know theirs.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    """
    context = {
        f"{SERVICE}:service-namespace": request.get("ServiceNamespace", ""),
        f"{SERVICE}:scalable-dimension": request.get("ScalableDimension", ""),
    }
    target = f"arn:aws:{SERVICE}:{REGION}:{ACCOUNT}:scalable-target/0"
    is_list = operation.startswith("Describe")
    yield Need(action=f"{SERVICE}:{operation}", resource="*" if is_list else target, context={} if is_list else context)
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
        end = to_cloud_seconds(time.time()) // _MINUTE * _MINUTE
        return alarms.read(metric, "Sum", period=_MINUTE, end=end, count=minutes)

    return read


def _tick_for_ever(scaling: Scaling) -> None:
    while True:
        time.sleep(to_machine_seconds(_TICK_SECONDS))
        scaling.tick()


def _handler(scaling: Scaling, access: Access, router: Any) -> Callable[..., Any]:
    def serve(headers: Mapping[str, str], query: Any, body: bytes | str) -> Answer:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        request = json.loads(body or "{}")
        try:
            if access.is_on:
                key = str(router.extract_access_key_id(headers, query) or "")
                access.check(key, list_scaling_needs(operation, request))
            return _write(200, scaling.answer(operation, request))
        except DeniedError as error:
            return _write(400, {"__type": "AccessDeniedException", "message": str(error)})
        except ScalingRefusedError as error:
            return _write(400, {"__type": error.code, "message": str(error)})

    async def handle(_method: str, _path: str, headers: dict[str, str], body: bytes | str, query: Any) -> Answer:
        return await asyncio.to_thread(serve, headers, query, body)

    return handle


def _write(status: int, answer: Mapping[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
