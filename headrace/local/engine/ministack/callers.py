"""Who calls what does not come through the door, and what calls need besides the permission of their own name.

Step Functions' tasks call as the role of their state machine, and what EventBridge's rules target is called as the
target's role: MiniStack would call them itself.
"""

import contextvars
import importlib
import logging
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from headrace.local.engine.access.minimum import list_minimum_needs
from headrace.local.engine.access.needs import (
    Holder,
    Need,
    list_needs,
    list_own_needs,
    list_roles,
    unpack_versions,
)
from headrace.local.engine.access.qualifiers import describe_qualifier, split_qualified
from headrace.local.engine.access.tasks import is_optimized, list_task_needs, list_waiting_needs
from headrace.local.engine.asl.flows import MapRun
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.ministack.access import Access, DeniedError
from headrace.local.engine.ministack.passing import DistrustError, check_roles
from headrace.local.engine.ministack.schedules import SCHEDULER_SOURCE
from headrace.local.engine.ministack.universal_targets import describe_call
from headrace.local.sagemaker.control_plane import Authorize, SageMaker
from headrace.local.sagemaker.errors import SageMakerError

logger = logging.getLogger(__name__)

# The role that this thread's tasks work for; none outside of executions.
acting_role: contextvars.ContextVar[str] = contextvars.ContextVar("acting_role", default="")

_STATES_SESSION: Final = "StepFunctions"
# What is not a call of a service, and the tasks that are decided as calls of the services' own operations.
_ACTIVITY: Final = re.compile(r"arn:aws:states:[^:]+:\d+:activity:")
_DECIDED_ELSEWHERE: Final = ("sagemaker", "aws-sdk")
_NO_ROLE: Final = "the task works for no role"
Handler = Callable[..., Coroutine[Any, Any, Any]]


def _open_session(access: Access) -> AccessKey:
    """A key of the role that this thread's tasks work for."""
    return access.open_session(acting_role.get() or _NO_ROLE, _STATES_SESSION)


class SageMakerCalls:
    """Decides the calls of SageMaker's API.

    Args:
        sagemaker: Serves them.
        access: The account's IAM.
    """

    def __init__(self, sagemaker: SageMaker, access: Access) -> None:
        self.sagemaker = sagemaker
        self._access = access

    def authorize(self, key_id: str) -> Authorize:
        """What decides calls that are made with a key."""

        def decide(operation: str, request: Mapping[str, Any]) -> None:
            self._decide(key_id, operation, request, ())

        return decide

    def authorize_task(self, *, is_waited_for: bool) -> Authorize:
        """What decides the task of a state machine, as its role."""

        def decide(operation: str, request: Mapping[str, Any]) -> None:
            key = _open_session(self._access)
            waiting = list_waiting_needs(operation.removeprefix("Create"), request) if is_waited_for else ()
            self._decide(key.key_id, operation, request, waiting)

        return decide

    def _decide(self, key_id: str, operation: str, request: Mapping[str, Any], further: Iterable[Need]) -> None:
        if not self._access.is_on:
            return
        role = next(iter(list_roles("sagemaker", request)), "") or self._find_role_of_model(operation, request)
        own = [add_tags(need, self.sagemaker) for need in list_own_needs(operation, request)]
        found = list_needs(
            "sagemaker", operation, request, find_config=self._find_config, find_version=self._find_version
        )
        needs = [*own, *found, *further]
        passed = [need for need in needs if need.holder is not Holder.CALLER]
        try:
            self._access.check(key_id, (need for need in needs if need.holder is Holder.CALLER))
            self._access.check(key_id, passed, role)
        except DeniedError as error:
            raise SageMakerError("AccessDeniedException", str(error)) from None
        for need in list_minimum_needs(operation, {**request, **unpack_versions(request, self._find_version)}):
            try:
                self._access.check(key_id, [need], role)
            except DeniedError as error:
                logger.warning("role_lacks_minimum operation=%s error=%s", operation, error)

    def _find_config(self, name: str) -> Mapping[str, Any]:
        try:
            return self.sagemaker.call("DescribeEndpointConfig", {"EndpointConfigName": name})
        except SageMakerError:
            return {}

    def _find_role_of_model(self, operation: str, request: Mapping[str, Any]) -> str:
        """What a transform job works as, whose request names no role."""
        if operation != "CreateTransformJob":
            return ""
        try:
            model = self.sagemaker.call("DescribeModel", {"ModelName": request["ModelName"]})
        except SageMakerError:
            return ""
        return str(model.get("ExecutionRoleArn", ""))

    def _find_version(self, name: str) -> Mapping[str, Any]:
        try:
            version = self.sagemaker.call("DescribeModelPackage", {"ModelPackageName": name})
        except SageMakerError:
            return {}
        (container,) = version["InferenceSpecification"]["Containers"]
        found: Mapping[str, Any] = container
        return found


def add_tags(need: Need, sagemaker: SageMaker) -> Need:
    """The tags of a resource of SageMaker that there is are condition keys, too."""
    if need.resource == "*":
        return need
    try:
        tags = sagemaker.call("ListTags", {"ResourceArn": need.resource})["Tags"]
    except SageMakerError:
        return need
    context = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}
    return Need(action=need.action, resource=need.resource, context={**need.context, **context})


def install_callers(access: Access) -> None:
    """Teach MiniStack to decide what its services do for each other, and what callers pass on."""
    if not access.is_on:
        return
    app: Any = importlib.import_module("ministack.app")
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    events: Any = importlib.import_module("ministack.services.eventbridge")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS

    app.call_service_handler_sync = _call_as_role(access, app, app.call_service_handler_sync)
    states._invoke_resource = _decide_tasks(access, states, states._invoke_resource)
    states._read_map_items = _decide_listing(access, states, states._read_map_items)
    states._s3_object_text = _decide_reading(access, states, states._s3_object_text)
    states._begin_map_run = _decide_map_runs(access, states, states._begin_map_run)
    states._test_state = _test_as_role(states._test_state)
    events._invoke_target = _decide_targets(access, events._invoke_target)
    for kind, (service, translate) in _PROVISIONED.items():
        handlers[kind] = _decide_provisioning(access, service, translate, handlers[kind])


def _call_as_role(access: Access, app: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """What a task's `aws-sdk` integration asks of a service; elsewhere, services call each other as before."""
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    handlers = app.SERVICE_HANDLERS

    def run(serve: Handler, method: str, path: str, headers: dict[str, str], body: Any, query: Any, *rest: Any) -> Any:
        if not acting_role.get():
            return call(serve, method, path, headers, body, query, *rest)
        service = next(name for name, handler in handlers.items() if handler is serve)
        key = _open_session(access)
        signed = {**headers, "authorization": headers["authorization"].replace("=test/", f"={key.key_id}/")}
        request = (service, method, path, signed, body.encode() if isinstance(body, str) else body, query)
        if action := actions.extract_iam_action(*request):
            responses: Any = importlib.import_module("ministack.core.responses")
            place = (responses.get_region(), responses.get_account_id())
            resource = actions.extract_resource_arn(*request, *place)
            context = _describe_request(app, actions, action, request)
            try:
                access.check(key.key_id, [Need(action=action, resource=resource, context=context)])
            except DeniedError as error:
                return actions.access_denied_response(service, action, "", "", message=str(error), headers=headers)
        return call(serve, method, path, signed, body, query, *rest)

    return run


def _describe_request(app: Any, actions: Any, action: str, request: tuple[Any, ...]) -> dict[str, Any]:
    """The condition keys of a task's request, as MiniStack finds those of requests that come through its door."""
    service, method, path, headers, body, query = request
    context: dict[str, Any] = actions.request_tag_context(
        service, action, body or b"", app._routing_params(method, path, headers, body or b"", query or {})
    )
    return {**context, **(actions.s3_service_context(action, query, path, headers) if service == "s3" else {})}


def _decide_tasks(access: Access, states: Any, invoke: Callable[..., Any]) -> Callable[..., Any]:
    """Optimized integrations, but for SageMaker's, which its own tasks decide, and for `aws-sdk`'s."""

    def run(resource: str, arguments: Any, *rest: Any) -> Any:
        if not any(is_optimized(resource, kind) for kind in _DECIDED_ELSEWHERE) and not _ACTIVITY.match(resource):
            key = _open_session(access)
            try:
                access.check(key.key_id, list_task_needs(resource, arguments if isinstance(arguments, dict) else {}))
            except DeniedError as error:
                raise states._ExecutionError(_name_denial(resource), str(error)) from None
        return invoke(resource, arguments, *rest)

    return run


def _decide_map_runs(access: Access, states: Any, begin: Callable[[MapRun], None]) -> Callable[[MapRun], None]:
    """A distributed Map state starts executions of its own state machine."""

    def run(map_run: MapRun) -> None:
        machine = map_run.machine_arn.rpartition("/")[0]
        key = _open_session(access)
        try:
            access.check(key.key_id, [Need(action="states:StartExecution", resource=machine)])
        except DeniedError as error:
            raise states._ExecutionError("StepFunctions.AccessDeniedException", str(error)) from None
        begin(map_run)

    return run


def _decide_listing(access: Access, states: Any, read: Callable[..., Any]) -> Callable[..., Any]:
    """What a Map state lists to find its items."""

    def run(reader: Mapping[str, Any], given: Any, context: Any) -> Any:
        if reader.get("Resource", "").endswith("s3:listObjectsV2"):
            asked = states._resolve_params_obj(
                reader.get("Parameters") or reader.get("Arguments") or {}, given, context
            )
            bucket, prefix = f"arn:aws:s3:::{asked.get('Bucket')}", {"s3:prefix": asked.get("Prefix", "")}
            _check_items(access, states, Need(action="s3:ListBucket", resource=bucket, context=prefix))
        return read(reader, given, context)

    return run


def _decide_reading(access: Access, states: Any, read: Callable[..., str]) -> Callable[..., str]:
    """What a Map state reads to find its items."""

    def run(bucket: Any, key: Any) -> str:
        _check_items(access, states, Need(action="s3:GetObject", resource=f"arn:aws:s3:::{bucket}/{key}"))
        return read(bucket, key)

    return run


def _check_items(access: Access, states: Any, need: Need) -> None:
    key = _open_session(access)
    try:
        access.check(key.key_id, [need])
    except DeniedError as error:
        raise states._ExecutionError("States.ItemReaderFailed", str(error)) from None


def _name_denial(resource: str) -> str:
    """How Step Functions names a denied call of a service."""
    if ":lambda:" in resource:
        return "Lambda.AWSLambdaException"
    if ":sns:" in resource:
        return "SNS.AuthorizationErrorException"
    return f"{resource.split(':::')[-1].partition(':')[0].capitalize()}.AccessDeniedException"


def _test_as_role(test: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def run(request: dict[str, Any]) -> Any:
        token = acting_role.set(request.get("roleArn", ""))
        try:
            return test(request)
        finally:
            acting_role.reset(token)

    return run


def _decide_targets(access: Access, invoke: Callable[..., None]) -> Callable[..., None]:
    """A rule or a schedule works as the target's role where that is a state machine or an operation of a service.

    Other targets have policies of their own.
    """

    def run(target: dict[str, Any], event: Mapping[str, Any], *rest: Any, **options: Any) -> None:
        if need := _describe_start(target) or describe_call(target):
            role = target.get("RoleArn", "")
            key = access.open_session(role or _NO_ROLE, "EventBridge")
            service = "scheduler" if event.get("Source") == SCHEDULER_SOURCE else "events"
            try:
                if not access.trusts(role, f"{service}.amazonaws.com"):
                    raise DeniedError(f"{service}.amazonaws.com cannot assume the role {role}")
                access.check(key.key_id, [need])
            except DeniedError as error:
                logger.warning("target_not_called target=%s error=%s", target["Arn"], error)
                return
        invoke(target, event, *rest, **options)

    return run


def _describe_start(target: Mapping[str, Any]) -> Need | None:
    arn = target.get("Arn", "")
    if ":states:" not in arn:
        return None
    machine, _ = split_qualified(arn)
    return Need(action="states:StartExecution", resource=machine, context=describe_qualifier(arn))


def _decide_provisioning(
    access: Access, service: str, translate: Callable[[Mapping[str, Any]], dict[str, Any]], handlers: dict[str, Any]
) -> dict[str, Any]:
    """CloudFormation may pass any role; the service that it passes it to must be trusted all the same."""

    def decide(provision: Callable[..., Any], properties_at: int) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            request = translate(arguments[properties_at])
            needs = list_needs(service, _CREATING[service], request)
            try:
                check_roles(access, service, list_roles(service, request), needs)
            except DistrustError as error:
                raise ValueError(f"{error.code}: {error}") from None
            return provision(*arguments)

        return run

    return {**handlers, "create": decide(handlers["create"], 1), "update": decide(handlers["update"], 2)}


def _translate_machine(properties: Mapping[str, Any]) -> dict[str, Any]:
    logs, traces = properties.get("LoggingConfiguration", {}), properties.get("TracingConfiguration", {})
    return {
        "roleArn": properties.get("RoleArn", ""),
        "loggingConfiguration": {"level": logs.get("Level", "OFF"), "destinations": logs.get("Destinations", [])},
        "tracingConfiguration": {"enabled": str(traces.get("Enabled", False)).lower() == "true"},
    }


_CREATING: Final[Mapping[str, str]] = {
    "states": "CreateStateMachine",
    "lambda": "CreateFunction",
    "events": "PutTargets",
    "scheduler": "CreateSchedule",
}
_PROVISIONED: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]]]] = {
    "AWS::StepFunctions::StateMachine": ("states", _translate_machine),
    "AWS::Lambda::Function": ("lambda", dict),
    "AWS::Events::Rule": ("events", dict),
    "AWS::Scheduler::Schedule": ("scheduler", dict),
}
