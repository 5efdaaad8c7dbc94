"""What the roles of the account have done on the local cloud, beside what their policies allow."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import boto3

from headrace.errors import HeadraceError
from headrace.local.calls import Call
from headrace.local.engine.access.unused import list_unused


class NoSuchRoleError(HeadraceError):
    """No role has this name."""


@dataclass(frozen=True, kw_only=True)
class RoleCalls:
    """What a role has done.

    Args:
        role: Its name.
        used: The actions that it has used.
        unused: Those that its policies allow and it has not used, each with what it is allowed on.
        denied: Those that it has tried in vain, each with the resource.
    """

    role: str
    used: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]
    denied: tuple[tuple[str, str], ...]


def review_calls(calls: Iterable[Call], part: str | None) -> list[RoleCalls]:
    """What roles have done since the local cloud started, as the AWS clients of this process see their policies.

    Args:
        calls: The calls of all roles.
        part: A part of the names of the roles, whatever its case; all roles if left out.

    Raises:
        NoSuchRoleError: If no role has such a name.
    """
    iam: Any = boto3.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    names = sorted(role["RoleName"] for page in pages for role in page["Roles"])
    chosen = [name for name in names if (part or "").lower() in name.lower()]
    if not chosen:
        reason = f"no role has a name with '{part}'; there are: {', '.join(names)}" if names else "there is no role yet"
        raise NoSuchRoleError(reason)
    by_role = defaultdict(list)
    for call in calls:
        by_role[call.role].append(call)
    return [_review_role(iam, name, by_role[name]) for name in chosen]


def _review_role(iam: Any, role: str, calls: list[Call]) -> RoleCalls:
    return RoleCalls(
        role=role,
        used=tuple(sorted({call.action for call in calls if call.is_allowed})),
        unused=tuple(list_unused(iam, role, calls)),
        denied=tuple(sorted({(call.action, call.resource) for call in calls if not call.is_allowed})),
    )
