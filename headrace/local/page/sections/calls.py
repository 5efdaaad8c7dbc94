"""Calls: what each role has done, what it was denied, and what it may do besides."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.local.calls import Call, CallCount, describe_limit
from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient

_IDLE_SECONDS: Final = 4.0
_GONE: Final = "NoSuchEntity"

ListCounts = Callable[[], Sequence[CallCount]]
ListUnused = Callable[[Any, str, Iterable[Call]], Sequence[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class RoleCounts:
    """What a role has called.

    Args:
        role: Its name.
        denied: Each call that it was denied.
        allowed: Each that it was not.
    """

    role: str
    denied: tuple[CallCount, ...]
    allowed: tuple[CallCount, ...]

    @property
    def calls(self) -> tuple[CallCount, ...]:
        """All of them."""
        return (*self.denied, *self.allowed)

    @property
    def denied_count(self) -> int:
        """How many calls it was denied."""
        return sum(made.count for made in self.denied)

    @property
    def allowed_count(self) -> int:
        """How many it was not."""
        return sum(made.count for made in self.allowed)

    @property
    def services(self) -> list[str]:
        """The services that it has called, as their actions begin."""
        return sorted({made.call.action.partition(":")[0] for made in self.calls})

    @property
    def last(self) -> datetime:
        """When it has called last."""
        return max(made.last for made in self.calls)

    @property
    def used(self) -> list[tuple[str, int, int, datetime]]:
        """Each action that it has used: on how many resources, how often, and when last."""
        by_action: dict[str, list[CallCount]] = defaultdict(list)
        for made in self.allowed:
            by_action[made.call.action].append(made)
        return [
            (
                action,
                len({each.call.resource for each in made}),
                sum(each.count for each in made),
                max(each.last for each in made),
            )
            for action, made in sorted(by_action.items())
        ]

    @property
    def refused(self) -> list[tuple[str, str, int, datetime]]:
        """Each action that it was denied, with the resource: how often, and when last; the latest first."""
        by_need: dict[tuple[str, str], list[CallCount]] = defaultdict(list)
        for made in self.denied:
            by_need[made.call.action, made.call.resource].append(made)
        rows = [
            (*need, sum(each.count for each in made), max(each.last for each in made)) for need, made in by_need.items()
        ]
        return sorted(rows, key=lambda row: row[3], reverse=True)


class Calls:
    """The section of calls.

    Args:
        clients: Finds the client of a service.
        list_counts: Lists the calls that were decided; None where policies do not decide.
        list_unused: Lists what a role may do and has not done.
    """

    name: Final = "calls"
    title: Final = "Calls"

    def __init__(self, clients: FindClient, list_counts: ListCounts | None, list_unused: ListUnused) -> None:
        self._clients = clients
        self._list_counts = list_counts
        self._list_unused = list_unused

    def answer(self, request: Request) -> View:
        """All roles, or what one has done."""
        match request.segments[1:]:
            case []:
                return (
                    show_roles(self._list_counts(), self._list_roles()) if self._list_counts else show_roles(None, [])
                )
            case [role] if self._list_counts:
                return self._show_role(role, self._list_counts())
            case [_]:
                raise PageError(404, "this local cloud was started with --no-iam, so no call is decided or recorded")
        raise PageError(404, "calls are shown by the name of a role")

    def _list_roles(self) -> list[str]:
        pages = self._clients("iam").get_paginator("list_roles").paginate()
        return sorted(role["RoleName"] for page in pages for role in page["Roles"])

    def _show_role(self, role: str, made: Sequence[CallCount]) -> View:
        counts = next((each for each in count_by_role(made) if each.role == role), None)
        found = counts or RoleCounts(role=role, denied=(), allowed=())
        unused = self._find_unused(found)
        if counts is None and unused is None:
            raise PageError(404, f"there is no role {role!r}")
        return show_role(found, unused, describe_limit(made))

    def _find_unused(self, counts: RoleCounts) -> Sequence[tuple[str, str]] | None:
        try:
            return self._list_unused(self._clients("iam"), counts.role, [made.call for made in counts.allowed])
        except ClientError as error:
            if error.response["Error"]["Code"] != _GONE:
                raise
            return None


def count_by_role(counts: Iterable[CallCount]) -> list[RoleCounts]:
    """Calls by role, those first that were denied something, of these and of the others the latest; users left out."""
    by_role: dict[str, list[CallCount]] = defaultdict(list)
    for made in counts:
        if made.call.role:
            by_role[made.call.role].append(made)
    found = [
        RoleCounts(
            role=role,
            denied=tuple(each for each in made if not each.call.is_allowed),
            allowed=tuple(each for each in made if each.call.is_allowed),
        )
        for role, made in by_role.items()
    ]
    return sorted(found, key=lambda each: (bool(each.denied), each.last), reverse=True)


def show_roles(made: Sequence[CallCount] | None, roles: Sequence[str]) -> View:
    """The roles.

    Args:
        made: The calls; None where policies do not decide.
        roles: The names of all roles that there are.
    """
    counts = None if made is None else count_by_role(made)
    called = {each.role for each in counts or ()}
    values = {
        "counts": counts,
        "silent": [role for role in roles if role not in called],
        "limit": describe_limit(made or ()),
    }
    return View("calls.html", "Calls", values, _IDLE_SECONDS if counts is not None else None)


def show_role(counts: RoleCounts, unused: Sequence[tuple[str, str]] | None, limit: str = "") -> View:
    """What one role has done.

    Args:
        counts: Its calls.
        unused: What it may do and has not done, each with what it is allowed on; None where the role is gone.
        limit: What is not known of its calls.
    """
    return View("role.html", counts.role, {"counts": counts, "unused": unused, "limit": limit}, _IDLE_SECONDS)
