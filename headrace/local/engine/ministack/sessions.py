"""What MiniStack's sessions lack: a role is assumed by its whole ARN, for as long as it allows, and as itself."""

import importlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.refusals import BAD_REQUEST, HttpAnswer, WireFormat, write_error

_PARTS_OF_ARN: Final = 6
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_HOUR: Final = 3600
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
_ALLOWED_BY_TOKEN: Final = ("sts:AssumeRole", "sts:GetCallerIdentity", "sts:TagSession")


def install_sessions() -> None:
    """Teach MiniStack's STS how long a role may be assumed."""
    app: Any = importlib.import_module("ministack.app")
    app.SERVICE_HANDLERS["sts"] = _limit_duration(app.SERVICE_HANDLERS["sts"])


def find_role(arn: str) -> Mapping[str, Any] | None:
    """A role by its whole ARN; MiniStack looks at the last part only."""
    parts = arn.split(":", 5)
    if len(parts) < _PARTS_OF_ARN:
        return None
    iam: Any = importlib.import_module("ministack.services.iam")
    found: Mapping[str, Any] | None = iam._roles.get_scoped(parts[4], None, arn.rpartition("/")[2])
    return found if found and found["Arn"] == arn else None


def find_trust_policy(arn: str) -> tuple[Any, str] | None:
    """The policy of a role to be assumed, which for its account's own users is enough where it names them."""
    found = find_role(arn) if arn.split(":")[4:5] == [ACCOUNT] else None
    return (found["AssumeRolePolicyDocument"], ACCOUNT) if found else None


def is_beyond_session(key_id: str, action: str, resource: str) -> bool:
    """Whether no policy can allow a call: of a role that does not exist, or with a token of GetSessionToken."""
    if action == "sts:AssumeRole" and find_role(resource) is None:
        return True
    session = _find_session(key_id)
    is_token = session is not None and session.get("PrincipalType") == "User"
    return is_token and action.startswith(("iam:", "sts:")) and action not in _ALLOWED_BY_TOKEN


def is_of_former_role(key_id: str) -> bool:
    """Whether a session is one of a role that was deleted, and whose name another role has now."""
    session = _find_session(key_id)
    if session is None or session.get("PrincipalType") != "AssumedRole":
        return False
    iam: Any = importlib.import_module("ministack.services.iam")
    role = iam._roles.get_scoped(session["AccountId"], None, str(session["Arn"]).split("/")[1])
    return role is not None and str(session["UserId"]).partition(":")[0] != role["RoleId"]


def _find_session(key_id: str) -> Mapping[str, Any] | None:
    sts: Any = importlib.import_module("ministack.services.sts")
    found: Mapping[str, Any] | None = sts._sessions.get(key_id)
    return found


def _limit_duration(serve: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    router: Any = importlib.import_module("ministack.core.router")

    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Any]) -> Any:
        sent = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        given = {name: values[0] for name, values in {**query, **parse_qs(sent)}.items()}
        key_id = str(router.extract_access_key_id(headers, query) or "")
        if given.get("Action") == "AssumeRole" and (refusal := _refuse_duration(key_id, given)):
            return refusal
        return await serve(method, path, headers, body, query)

    return run


def _refuse_duration(key_id: str, given: Mapping[str, str]) -> HttpAnswer | None:
    asked = given.get("DurationSeconds", "")
    longest = int((find_role(given.get("RoleArn", "")) or {}).get("MaxSessionDuration", _HOUR))
    reason = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    if (_find_session(key_id) or {}).get("PrincipalType") == "AssumedRole":
        longest, reason = (
            _HOUR,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    if not asked.isdecimal() or int(asked) <= longest:
        return None
    return write_error(WireFormat.QUERY, "ValidationError", reason, BAD_REQUEST)
