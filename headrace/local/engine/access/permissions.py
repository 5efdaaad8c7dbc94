"""The permissions that policies give, each action of each statement for itself, and which of them calls have used."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from headrace.local.calls import Call
from headrace.local.engine.access.matching import match_wildcards
from headrace.policies import as_list


@dataclass(frozen=True, order=True)
class Permission:
    """One action of a statement that allows it.

    Args:
        action: The action, perhaps with wildcards.
        resources: What it is allowed on.
    """

    action: str
    resources: tuple[str, ...]

    def covers(self, action: str, resources: Iterable[str]) -> bool:
        """Whether it is for an action on one of some resources; conditions are left out of account."""
        return match_wildcards(self.action, action, is_case_kept=False) and any(
            match_wildcards(pattern, resource) for resource in resources for pattern in self.resources
        )


def list_permissions(documents: Iterable[Mapping[str, Any]]) -> Iterator[Permission]:
    """What policies allow, in their order."""
    for document in documents:
        for statement in as_list(document["Statement"]):
            if statement["Effect"] == "Allow":
                resources = tuple(as_list(statement["Resource"]))
                yield from (Permission(action, resources) for action in as_list(statement["Action"]))


def find_unused(permissions: Iterable[Permission], calls: Iterable[Call]) -> list[Permission]:
    """The permissions that no allowed call has used."""
    used: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        if call.is_allowed:
            used[call.action].add(call.resource)
    return [permission for permission in permissions if not any(starmap(permission.covers, used.items()))]
