"""What the roles of the account have done on the local cloud, beside what their policies allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from headrace.errors import HeadraceError
from headrace.local.engine.access.calls import Call, read_calls
from headrace.local.engine.access.permissions import find_unused, list_permissions


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


def review_calls(root: Path, part: str | None) -> list[RoleCalls]:
    """What roles have done since the local cloud started, as the AWS clients of this process see their policies.

    Args:
        root: The local cloud's folder.
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
    calls = list(read_calls(root))
    return [_review_role(iam, name, [call for call in calls if call.role == name]) for name in chosen]


def _review_role(iam: Any, role: str, calls: list[Call]) -> RoleCalls:
    unused = find_unused(list_permissions(read_policies(iam, role)), calls)
    return RoleCalls(
        role=role,
        used=tuple(sorted({call.action for call in calls if call.is_allowed})),
        unused=tuple(sorted({(p.action, resource) for p in unused for resource in p.resources})),
        denied=tuple(sorted({(call.action, call.resource) for call in calls if not call.is_allowed})),
    )


def read_policies(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:
    """The policies of a role, its own and those attached to it."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        if not arn:
            # The engine attaches what a template's condition leaves out, as in the roles of `cdk bootstrap`.
            continue
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
