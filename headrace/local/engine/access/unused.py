"""What the policies of a role allow, read from IAM, that no call of it has used."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.local.calls import Call
from headrace.local.engine.access.permissions import find_unused, list_permissions


def list_unused(iam: Any, role: str, calls: Iterable[Call]) -> list[tuple[str, str]]:
    """The actions that a role may use and has not, each with what it is allowed on.

    Args:
        iam: boto3's client.
        role: The role's name.
        calls: Its calls.
    """
    unused = find_unused(list_permissions(read_policies(iam, role)), calls)
    return sorted({(permission.action, resource) for permission in unused for resource in permission.resources})


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
