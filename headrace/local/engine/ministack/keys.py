"""What KMS decides on: the key itself, whatever it is called by, and the condition keys that MiniStack leaves out.

https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
"""

import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.cloud import ACCOUNT

_ALIAS: Final = ":alias/"
_OF_ALIASES: Final = ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias")


def install_key_conditions(actions: Any) -> None:
    """Teach MiniStack's IAM the condition keys of requests to KMS."""
    actions.request_tag_context = _add_encryption_context(actions.request_tag_context)


def find_key(action: str, resource: str) -> str:
    """The ARN that an action of KMS is decided on: an alias stands for its key, but where it is itself changed."""
    if not action.startswith("kms:") or _ALIAS not in resource or action in _OF_ALIASES:
        return resource
    found = _find_record(resource)
    return str(found["Arn"]) if found else resource


def is_unknown_key(resource: str, context: Mapping[str, Any]) -> bool:
    """Whether a service is to use a key for a caller that this account should have and does not."""
    is_own = resource.split(":")[4:5] == [ACCOUNT]
    return is_own and "kms:ViaService" in context and _find_record(resource) is None


def describe_key(key: str, resource: str) -> Any:
    """The value of a condition key that describes a key itself; nothing for others.

    Args:
        key: The condition key, in lower case.
        resource: The ARN of the key.
    """
    found = _find_record(resource) if key in _OF_KEY or key == "kms:resourcealiases" else None
    if found is None:
        return None
    if key in _OF_KEY:
        value = found.get(_OF_KEY[key])
        return str(value).lower() if isinstance(value, bool) else value
    kms: Any = importlib.import_module("ministack.services.kms")
    named = [arn.rpartition(":")[2] for arn, key_id in kms._aliases.items() if key_id == found["KeyId"]]
    return named or None


def _find_record(resource: str) -> Any:
    kms: Any = importlib.import_module("ministack.services.kms")
    return kms._resolve_key(resource)


def _add_encryption_context(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def run(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context = describe(service, action, body, parameters)
        return {**context, **_describe_request(body)} if service == "kms" else context

    return run


def _describe_request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    given = request.get("EncryptionContext") or {}
    keys: dict[str, Any] = {f"kms:EncryptionContext:{name}": value for name, value in given.items()}
    if given:
        keys["kms:EncryptionContextKeys"] = list(given)
    name = str(request.get("KeyId", ""))
    alias = name.rpartition(":")[2] if name.startswith("arn:") else name
    return {**keys, "kms:RequestAlias": alias} if alias.startswith("alias/") else keys


_OF_KEY: Final[Mapping[str, str]] = {
    "kms:keyorigin": "Origin",
    "kms:keyspec": "KeySpec",
    "kms:keyusage": "KeyUsage",
    "kms:multiregion": "MultiRegion",
}
