"""Permissions of policies, used and unused."""

from typing import Any

from headrace.local.calls import Call
from headrace.local.engine.access.permissions import Permission, find_unused, list_permissions


def call(action: str, resource: str, *, is_allowed: bool = True) -> Call:
    return Call(principal="p", action=action, resource=resource, is_allowed=is_allowed)


def test_lists_each_allowed_action_of_each_statement() -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "a"}
    denying = {"Effect": "Deny", "Action": "*", "Resource": "*"}

    found = list(list_permissions([{"Statement": [statement, denying]}, {"Statement": {**statement, "Action": "x:Y"}}]))

    assert found == [Permission("s3:GetObject", ("a",)), Permission("s3:PutObject", ("a",)), Permission("x:Y", ("a",))]


def test_finds_what_no_allowed_call_has_used() -> None:
    used, unused, denied = (
        Permission("s3:Get*", ("a/*",)),
        Permission("s3:GetObject", ("b",)),
        Permission("x:Y", ("*",)),
    )
    calls = [call("s3:getobject", "c/1"), call("s3:getobject", "a/1"), call("x:Y", "z", is_allowed=False)]

    assert find_unused([used, unused, denied], calls) == [unused, denied]
