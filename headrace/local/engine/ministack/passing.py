"""Who may pass a role to a service, and whether the role trusts that service."""

import importlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import cache, partial
from typing import Any, Final

from headrace.local.engine.access.needs import Holder, Need, list_needs, list_roles
from headrace.local.engine.access.roles import list_passing_needs
from headrace.local.engine.ministack.access import Access, DeniedError, read_json

Handler = Callable[..., Coroutine[Any, Any, Any]]

_SESSION: Final = "StepFunctions"
# What a service that is passed a role says when it may not assume it.
_DISTRUST: Final[Mapping[str, tuple[str, str]]] = {
    "states": (
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role.",
    ),
    "lambda": (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    "events": (
        "ValidationException",
        "Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'.",
    ),
    "scheduler": (
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
}

# The operations that make such a service assume a role.
_TRUSTING: Final[Mapping[str, tuple[str, ...]]] = {
    "states": ("CreateStateMachine", "TestState", "UpdateStateMachine"),
    "lambda": ("CreateFunction", "UpdateFunctionConfiguration"),
    "events": ("PutRule", "PutTargets"),
    "scheduler": ("CreateSchedule", "UpdateSchedule"),
}
# What botocore calls a service of MiniStack.
_MODELS: Final[Mapping[str, str]] = {"elasticmapreduce": "emr", "monitoring": "cloudwatch", "states": "stepfunctions"}


def install_passing(access: Access) -> None:
    """Teach MiniStack to ask who passes a role for the permission, whatever service it is passed to."""
    if not access.is_on:
        return
    app: Any = importlib.import_module("ministack.app")
    for service, serve in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = _decide_passing(access, service, serve)


def _decide_passing(access: Access, service: str, serve: Handler) -> Handler:
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    router: Any = importlib.import_module("ministack.core.router")
    responses: Any = importlib.import_module("ministack.core.responses")
    load_model = cache(partial(_load_model, actions, service))

    async def run(
        method: str, path: str, headers: dict[str, str], body: Any, query: dict[str, Any], **options: Any
    ) -> Any:
        sent = body.encode() if isinstance(body, str) else body or b""
        if _may_have_role(service, query, sent):
            action = str(actions.extract_iam_action(service, method, path, headers, sent, query))
            operation, key_id = action.partition(":")[2], str(router.extract_access_key_id(headers, query) or "")
            try:
                access.check(key_id, list_passing_needs(service, operation, load_model(), sent))
                _check_trust(access, service, operation, sent)
            except DeniedError as error:
                return actions.access_denied_response(service, action, "", "", message=str(error), headers=headers)
            except DistrustError as error:
                return responses.error_response_json(error.code, str(error), 400)
        return await serve(method, path, headers, body, query, **options)

    return run


def _may_have_role(service: str, query: Mapping[str, Any], body: bytes) -> bool:
    """Whether it is worth looking for a role; in S3, what has one is called `replication`."""
    return b"role" in body.lower() if service != "s3" else "replication" in query


def _load_model(actions: Any, service: str) -> dict[str, Any]:
    """The API of a service, or the APIs that MiniStack takes for one."""
    names = actions._BOTOCORE_SERVICE_MAP.get(service) or [_MODELS.get(service, service)]
    merged: dict[str, Any] = {"operations": {}, "shapes": {}}
    for model in map(actions._load_botocore_model, names):
        for part, entries in merged.items():
            entries.update(model.get(part, {}))
    return merged


def _check_trust(access: Access, service: str, operation: str, body: bytes) -> None:
    if operation in _TRUSTING.get(service, ()):
        request = read_json(body)
        check_roles(access, service, list_roles(service, request), list_needs(service, operation, request))


class DistrustError(Exception):
    """A role that does not trust the service that it is passed to, or lacks what that service needs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_roles(access: Access, service: str, roles: Iterable[str], needs: Iterable[Need]) -> None:
    """See that a service may assume the roles that it is passed, and that these have what it needs.

    Raises:
        DistrustError: In the service's own words.
    """
    code, message = _DISTRUST[service]
    passed = [need for need in needs if need.holder is Holder.ROLE]
    for role in roles:
        if not access.trusts(role, f"{service}.amazonaws.com"):
            raise DistrustError(code, message.format(role=role))
        try:
            access.check("", passed, role, _SESSION)
        except DeniedError as error:
            raise DistrustError("AccessDeniedException", str(error)) from None
