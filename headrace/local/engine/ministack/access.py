"""MiniStack's IAM as this cloud wants it: no key is root, nothing unknown is allowed, every decision is noted."""

import contextvars
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from headrace.local.calls import Call, CallLog
from headrace.local.engine.access.further import list_further_needs
from headrace.local.engine.access.needs import Holder, Need
from headrace.local.engine.access.qualifiers import describe_qualifier, find_named_machine, split_qualified
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.credentials import AccessKey, make_key
from headrace.local.engine.ministack.actions import name_actions
from headrace.local.engine.ministack.encryption import find_object_need
from headrace.local.engine.ministack.keys import find_key, install_key_conditions, is_unknown_key
from headrace.local.engine.ministack.objects import install_object_keys
from headrace.local.engine.ministack.policies import UnknownConditionError, install_policies
from headrace.local.engine.ministack.sessions import find_trust_policy, install_sessions, is_beyond_session
from headrace.policies import as_list

OWNER: Final = "owner"
ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
_LOOPBACK_IS_SECURE: Final = ("127.0.0.1", True)
_ANSWERING_FOR_OBJECT_LAMBDA: Final = "s3-object-lambda:WriteGetObjectResponse"


# The action and the resource that were decided last for a request.
_decided: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("decided", default=("", "*"))
# The service that a request was signed by in its caller's name.
called_via: contextvars.ContextVar[str] = contextvars.ContextVar("called_via", default="")


class DeniedError(Exception):
    """A call that somebody may not make; says who, what and on what, in IAM's words."""


class Access:
    """Decides calls by the policies of the account, as IAM does.

    Args:
        log: Where decisions are noted; without one, everybody who has a key may do everything.
    """

    def __init__(self, log: CallLog | None) -> None:
        self._log = log
        self._keys: dict[tuple[str, str], AccessKey] = {}
        self._evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
        self._iam: Any = importlib.import_module("ministack.services.iam")
        self._sts: Any = importlib.import_module("ministack.services.sts")

    @property
    def is_on(self) -> bool:
        """Whether policies decide."""
        return self._log is not None

    def open_session(self, role: str, name: str) -> AccessKey:
        """A temporary key for a session of a role, the same one for the same session."""
        key = self._keys.setdefault((role, name), make_key("ASIA"))
        role_name = role.rpartition("/")[2]
        session = {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_name}/{name}",
            "UserId": f"{role_name}:{name}",
            "SecretAccessKey": key.secret,
            "SessionToken": key.session_token,
        }
        self._sts.register_session(key.key_id, session)
        return key

    def trusts(self, role: str, service: str) -> bool:
        """Whether there is a role and a service may assume it for this account."""
        if not self.is_on:
            return True
        found = self._iam._roles.get_scoped(ACCOUNT, None, role.rpartition("/")[2])
        if found is None or found["Arn"] != role:
            return False
        context = self._evaluator.EvalContext(
            principal_arn=service,
            principal_type="Service",
            principal_account=ACCOUNT,
            action="sts:AssumeRole",
            resource_arn=role,
            region=REGION,
            service_context={"aws:sourceaccount": ACCOUNT},
        )
        policy = found["AssumeRolePolicyDocument"]
        try:
            decision = self._evaluator.evaluate_resource_policy(policy, context, service=service).decision
        except UnknownConditionError:
            return False
        return bool(decision == "Allow")

    def check(self, key_id: str, needs: Iterable[Need], role: str = "", session: str = "SageMaker") -> None:
        """See that a caller has all permissions that a call needs, and the role that it passes those of its own.

        Args:
            key_id: The caller's key.
            needs: The permissions.
            role: The role that the call passes.
            session: What sessions of that role are called.

        Raises:
            DeniedError: If one is missing.
        """
        if not self.is_on:
            return
        for need in needs:
            keys = {Holder.CALLER: [key_id], Holder.ROLE: [], Holder.EITHER: [key_id]}[need.holder]
            if role and need.holder is not Holder.CALLER:
                keys = [self.open_session(role, session).key_id, *keys]
            denial = ""
            for key in keys:
                if not (denial := self._decide(key, need)):
                    break
            if denial:
                raise DeniedError(denial)

    def name_principal(self, key_id: str) -> str:
        """The ARN of the role or the user that a key belongs to."""
        session = self._sts._sessions.get(key_id)
        if session is None:
            user = self._iam._access_keys.get_scoped(ACCOUNT, None, key_id) or {}
            return f"arn:aws:iam::{ACCOUNT}:user/{user.get('UserName', '')}"
        role = str(session["Arn"]).split("/")[1]
        return f"arn:aws:iam::{ACCOUNT}:role/{role}"

    def name_session(self, key_id: str) -> str:
        """The ARN that messages name: of a session, or of a user."""
        session = self._sts._sessions.get(key_id)
        return str(session["Arn"]) if session else self.name_principal(key_id)

    def _decide(self, key_id: str, need: Need) -> str:
        """Why somebody may not do something; nothing if they may."""
        service = need.action.partition(":")[0]
        request = (key_id, need.action, service, REGION, need.resource, dict(need.context))
        # Away from the request that is being served, whose signature belongs to another key, perhaps.
        refusal = contextvars.Context().run(partial(self._evaluator.enforce, *request))
        if refusal is None:
            return ""
        return describe_denial(refusal, need.action, need.resource)

    def note(self, key_id: str, action: str, resource: str, context: Mapping[str, Any], *, is_allowed: bool) -> None:
        """Note a decision."""
        if self._log:
            principal = self.name_principal(key_id)
            kept = {key: value for key, value in context.items() if value is not None}
            call = Call(principal=principal, action=action, resource=resource, context=kept, is_allowed=is_allowed)
            self._log.note(call)


def describe_denial(refusal: Any, action: str, resource: str) -> str:
    """IAM's words for a refusal of the evaluator."""
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    if not hasattr(refusal, "decision"):
        return f"{refusal.code}: {refusal.message}"
    explicit = refusal.decision == "Deny"
    return str(actions.identity_denial_message(action, refusal.principal_arn, resource, explicit))


def install_access(access: Access) -> None:
    """Teach MiniStack's IAM what it lacks; requests have passed the door, which has verified their signatures."""
    if not access.is_on:
        return
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    app: Any = importlib.import_module("ministack.app")
    sts: Any = importlib.import_module("ministack.services.sts")

    for module in (evaluator, sts):
        module.is_root_access_key = _is_root
    evaluator._request_origin = contextvars.ContextVar("request_origin", default=_LOOPBACK_IS_SECURE)
    app.pin_request_origin = lambda source, _secure: evaluator.pin_request_origin(source, True)
    evaluator.authenticate = _trust_door(evaluator)
    evaluator.enforce = _note_decisions(access, evaluator.enforce)
    install_policies(evaluator)
    iam: Any = importlib.import_module("ministack.services.iam")
    iam.find_trust_policy = find_trust_policy
    install_sessions()
    evaluator._RESOURCE_POLICY_LOOKUPS["sts"] = ("iam", "find_trust_policy")
    actions.extract_iam_action = name_actions(actions.extract_iam_action)
    actions.extract_resource_arn = _name_streams(actions.extract_resource_arn)
    actions.logs_service_context = _describe_groups(actions.logs_service_context)
    actions.request_tag_context = _add_parameters(actions.request_tag_context)
    tagging: Any = importlib.import_module("ministack.services.tagging")
    tagging._RESOURCE_TAG_COLLECTORS["states"] = list_machine_tags
    install_object_keys(actions)
    install_key_conditions(actions)
    actions.access_denied_response = _name_resource(actions)


def list_machine_tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The tags of state machines, which policies may name, spelt as those of other services."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")
    for arn, tags in states._tags.items():
        yield arn, [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]


def register_owner(owner: AccessKey) -> None:
    """Make the owner of the cloud a user who may do everything that policies of resources do not forbid."""
    iam: Any = importlib.import_module("ministack.services.iam")
    if (iam._users.get_scoped(ACCOUNT, None, OWNER) or {}).get("AttachedPolicies") != [ADMINISTRATOR]:
        iam._users[OWNER] = {
            "UserName": OWNER,
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/{OWNER}",
            "UserId": "AIDAHEADRACEOWNER",
            "CreateDate": iam._now(),
            "Path": "/",
            "PermissionsBoundary": "",
            "AttachedPolicies": [ADMINISTRATOR],
            "Tags": [],
        }
    if (iam._access_keys.get_scoped(ACCOUNT, None, owner.key_id) or {}).get("Status") != "Active":
        iam._access_keys[owner.key_id] = {
            "UserName": OWNER,
            "AccessKeyId": owner.key_id,
            "SecretAccessKey": owner.secret,
            "Status": "Active",
            "CreateDate": iam._now(),
        }


def _is_root(_key_id: str) -> bool:
    """To MiniStack, `test`, the number of any account and the key of its own environment are root."""
    return False


def _trust_door(evaluator: Any) -> Callable[[str, str], Any]:
    def authenticate(key_id: str, account: str) -> Any:
        found = evaluator.resolve_credential(key_id, account)
        if isinstance(found, evaluator.CredentialResolutionError):
            return evaluator.AuthError(found.code, found.message)
        return found

    return authenticate


def _note_decisions(access: Access, enforce: Callable[..., Any]) -> Callable[..., Any]:
    decide = _decide_once(access, enforce)

    def run(
        key_id: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Mapping[str, Any] | None = None,
    ) -> Any:
        via = called_via.get()
        context = {**(service_context or {}), **({"aws:CalledVia": [via]} if via else {})}
        if resource_arn.startswith("arn:aws:s3-object-lambda:"):
            service, action = "s3-object-lambda", action.replace("s3:", "s3-object-lambda:", 1)
        for resource in _list_resources(action, resource_arn):
            refusal = decide(key_id, action, service, region, resource, context)
            if refusal is None:
                return run_further(key_id, region, list_all_further_needs(action, resource, context))
        return refusal

    def run_further(key_id: str, region: str, needs: Iterable[Need]) -> Any:
        refusals = (run(key_id, need.action, *_place(need, region), dict(need.context)) for need in needs)
        return next((refusal for refusal in refusals if refusal), None)

    return run


def _decide_once(access: Access, enforce: Callable[..., Any]) -> Callable[..., Any]:
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")

    def decide(key_id: str, action: str, service: str, region: str, resource: str, context: dict[str, Any]) -> Any:
        try:
            refusal = enforce(key_id, action, service, region, resource, context)
        except UnknownConditionError as error:
            refusal = evaluator.EvalResult("Deny", access.name_session(key_id), "", str(error))
        if refusal is None and (is_unknown_key(resource, context) or is_beyond_session(key_id, action, resource)):
            refusal = evaluator.EvalResult("ImplicitDeny", access.name_session(key_id))
        _decided.set((action, resource))
        access.note(key_id, action, resource, context, is_allowed=refusal is None)
        return refusal

    return decide


def _list_resources(action: str, resource: str) -> list[str]:
    """What an action is decided on, one of which is enough."""
    if action == _ANSWERING_FOR_OBJECT_LAMBDA:
        return _list_access_points()
    return [find_key(action, resource)]


def _place(need: Need, region: str) -> tuple[str, str, str]:
    return need.action.partition(":")[0], region, need.resource


def _list_access_points() -> list[str]:
    """MiniStack does not say through which of them a function answers; only its own has the token of the request."""
    s3: Any = importlib.import_module("ministack.services.s3")
    return [s3.object_lambda_arn(name) for _, _, name in list(s3._object_lambda_access_points._data)] or ["*"]


def list_all_further_needs(action: str, resource: str, context: Mapping[str, Any]) -> Iterator[Need]:
    """What a request that is allowed needs besides."""
    if action == "lambda:InvokeFunctionUrl":
        # https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
        invoked = {"lambda:InvokedViaFunctionUrl": "true"}
        yield Need(action="lambda:InvokeFunction", resource=resource, context=invoked)
    if need := find_object_need(action, resource, context):
        yield need
    yield from list_further_needs(action, resource, context)


def _name_resource(actions: Any) -> Callable[..., Any]:
    """A denial names the resource, which MiniStack leaves out for most services."""
    answer = actions.access_denied_response

    def run(service: str, action: str, principal: str, request_id: str, **told: Any) -> Any:
        if not told.get("message") and not told.get("error_code") and not told.get("resource_policy_arn"):
            explicit = told.get("explicit_deny", False)
            decided, resource = _decided.get()
            message = actions.identity_denial_message(decided or action, principal, resource, explicit)
            told = {**told, "message": message, "resource_arn": resource}
            action = decided or action
        return answer(service, action, principal, request_id, **told)

    return run


def _name_streams(extract: Callable[..., str]) -> Callable[..., str]:
    """IAM decides about the group of a member, CloudWatch Logs about streams.

    It decides about none of a group, too, as its denials show.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """

    def run(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        resource = extract(service, method, path, headers, body, *rest)
        if service == "iam" and (group := _find_group(*rest)):
            return group
        if service == "states":
            return split_qualified(find_named_machine(read_json(body)) or resource)[0]
        if service != "logs" or not resource.endswith(f":log-group:{(given := read_json(body)).get('logGroupName')}"):
            return resource
        return f"{resource}:log-stream:{given.get('logStreamName', '')}"

    return run


def _find_group(parameters: Mapping[str, Any], _region: str, account: str) -> str:
    """The group that is asked about; to MiniStack, it is the user who becomes a member."""
    name = as_list(parameters.get("GroupName") or "")[0]
    return f"arn:aws:iam::{account}:group/{name}" if name else ""


def _describe_groups(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Tags are those of groups."""

    def run(action: str, body: bytes, resource: str, *place: str) -> dict[str, Any]:
        return describe(action, body, resource.partition(":log-stream:")[0], *place)

    return run


def _add_parameters(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The condition keys that PutMetricData, PutEvents, AssumeRole and requests of Step Functions are limited by."""

    def run(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context = describe(service, action, body, parameters)
        if action == "cloudwatch:PutMetricData" and (namespace := _find_namespace(body, parameters)):
            context["cloudwatch:namespace"] = namespace
        if action == "events:PutEvents":
            sources = {str(entry.get("Source", "")) for entry in read_json(body).get("Entries", [])}
            # Entries of several sources are allowed only where each of them would be: none here.
            context["events:source"] = sources.pop() if len(sources) == 1 else ""
        if service == "states":
            context |= describe_qualifier(find_named_machine(read_json(body)))
        if action == "sts:AssumeRole":
            given = {f"sts:{name}": parameters.get(name) for name in ("ExternalId", "RoleSessionName")}
            context |= {key: str(as_list(value)[0]) for key, value in given.items() if value}
        return context

    return run


def _find_namespace(body: bytes, parameters: Mapping[str, Any]) -> str:
    if given := parameters.get("Namespace"):
        return str(given[0] if isinstance(given, list) else given)
    return str(read_json(body).get("Namespace", ""))


def read_json(body: Any) -> dict[str, Any]:
    """The object that a request holds; an empty one where it holds something else."""
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
