"""What a teardown of an environment would delete, what it keeps, and what is not its own."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from headrace import contract
from headrace.deletion.clients import make_session
from headrace.deletion.data import BUCKET, HOLDERS, KEY, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, REPOSITORY, USER_POOL
from headrace.deletion.kept import find_kept
from headrace.deletion.serving import MADE
from headrace.deletion.stacks import STACK
from headrace.deletion.standing import StandingStack, split_stacks
from headrace.errors import HeadraceError
from headrace.inventory import Item, Maker, read_stacks
from headrace.inventory.endpoint_logs import list_lost_logs, name_endpoints_of_versions
from headrace.inventory.run_time import read_run_time
from headrace.recipes import list_recipes

_BUCKET_OUTPUTS: Final = (contract.RAW_BUCKET_OUTPUT, contract.WORK_BUCKET_OUTPUT)
_KEY: Final = re.compile(r":kms:[\w-]+:\d+:key/([\w-]+)")
_USER_POOL: Final = re.compile(r":cognito-idp:[\w-]+:\d+:userpool/([\w-]+)")
_REPOSITORY: Final = re.compile(r"^\d+\.dkr\.ecr\.[^/]+/([^:@]+)")


class Fate(StrEnum):
    """What a teardown does with something."""

    DELETED = "deleted"
    KEPT = "kept"
    LEFT = "left"


class ProtectedError(HeadraceError):
    """Stacks of the environment are protected from being deleted."""


class UnnamedDataError(HeadraceError):
    """Data would be deleted that is not named."""


@dataclass(frozen=True)
class Line:
    """Something that an environment has, or that looks so, and what becomes of it.

    Args:
        fate: What becomes of it.
        item: The thing.
        note: Why.
    """

    fate: Fate
    item: Item
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What stands of an environment, and what would become of it.

    Args:
        environment: The environment.
        stacks: Its stacks, in the order in which they can go.
        items: What is in them.
        made: What executions and people have made.
        kept: What its stacks that are gone have kept.
        others: The stacks that only look like its own.
        named: Shell patterns of the names of data that is to be deleted.
        unclaimed: The logs of endpoints that are gone, of which nothing says whose they were.
    """

    environment: str
    stacks: tuple[StandingStack, ...]
    items: tuple[Item, ...]
    made: tuple[Item, ...]
    kept: tuple[Item, ...]
    others: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    unclaimed: tuple[Item, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not (self.stacks or self.made or any(map(self.is_named, self.kept)))

    def is_named(self, item: Item) -> bool:
        """Whether it was said that this data is to be deleted."""
        return any(fnmatchcase(item.name, pattern) for pattern in self.named)

    def list_data(self) -> list[Item]:
        """What holds data and goes only if it is named: with its stack, or after it where that keeps it."""
        return [item for item in (*self.items, *self.kept) if item.kind in HOLDERS and needs_name(item)]

    def list_unmatched(self) -> list[str]:
        """The patterns that name no data, which may be gone already."""
        names = [item.name for item in self.list_data()]
        return [pattern for pattern in self.named if not any(fnmatchcase(name, pattern) for name in names)]

    def list_retained(self) -> list[Item]:
        """What holds data and outlives its stack, or has outlived it, in the order in which it can go."""
        kinds = list(HOLDERS)
        found = [item for item in (*self.items, *self.kept) if item.kind in HOLDERS and item.is_retained]
        return sorted(found, key=lambda item: (kinds.index(item.kind), item.name))

    def list_doomed(self) -> list[Item]:
        """What was made at run time and is to be deleted: all but the versions of groups that are kept."""
        groups = [item for item in self.list_retained() if item.kind == MODEL_PACKAGE_GROUP and not self.is_named(item)]
        kept = tuple(f"{group.name.replace(':model-package-group/', ':model-package/')}/" for group in groups)
        return [item for item in self.made if item.kind != MODEL_PACKAGE or not item.name.startswith(kept)]

    def list_lines(self) -> Iterator[Line]:
        """Everything, in the order in which it goes, and then what stays."""
        order = list(MADE)
        for item in sorted(self.list_doomed(), key=lambda item: (order.index(item.kind), item.name)):
            yield Line(Fate.DELETED, item)
        for stack in self.stacks:
            yield Line(Fate.DELETED, Item(kind=STACK, name=stack.name, maker=Maker.STACK, stack=stack.name))
            for item in self.items:
                if item.stack == stack.name and not item.is_retained:
                    yield Line(Fate.DELETED, item)
        for item in self.list_retained():
            if self.is_named(item):
                yield Line(Fate.DELETED, item)
            else:
                yield Line(Fate.KEPT, item, "outlives its stack (retain_data), and is not named")
        yield from self._list_others()

    def _list_others(self) -> Iterator[Line]:
        for item in self.unclaimed:
            yield Line(Fate.LEFT, item, "the endpoint is gone, and nothing says whose it was")
        for name in self.others:
            item = Item(kind=STACK, name=name, maker=Maker.STACK, stack=name)
            yield Line(Fate.LEFT, item, "is called like ours and belongs to something else")
        ours = {item.name for item in self.items}
        for kind, name in sorted(list_existing(self.stacks)):
            if name not in ours:
                yield Line(Fate.LEFT, Item(kind=kind, name=name, maker=Maker.RUN), "was there before the environment")


def make_plan(environment: str, named: Collection[str] = ()) -> Plan:
    """Look at what stands of an environment; changes nothing.

    Args:
        environment: The environment.
        named: Shell patterns of the names of data that is to be deleted.
    """
    session = make_session()
    stacks, others = split_stacks(environment)
    items = read_stacks(session, environment)
    taken = {item.name for item in items} | {name for _, name in list_existing(stacks)}
    groups = [item.name for item in items if item.kind == MODEL_PACKAGE_GROUP]
    endpoints = {*name_endpoints(stacks), *name_endpoints_of_versions(session, groups)}
    made = read_run_time(session, environment, items, endpoints)
    return Plan(
        environment=environment,
        stacks=tuple(stacks),
        items=tuple(items),
        made=tuple(made),
        kept=tuple(find_kept(environment, taken)),
        others=tuple(others),
        named=tuple(named),
        unclaimed=tuple(list_lost_logs(session, taken | {item.name for item in made})),
    )


def list_existing(stacks: Collection[StandingStack]) -> set[tuple[str, str]]:
    """The types and names of the buckets, keys, repositories and user pools of others that stacks use."""
    outputs = [output for stack in stacks for output in stack.outputs.items()]
    templates = [json.dumps(stack.template) for stack in stacks]
    return {
        *((BUCKET, value) for name, value in outputs if name in _BUCKET_OUTPUTS),
        *((REPOSITORY, found) for _, value in outputs for found in _REPOSITORY.findall(value)),
        # A template refers to its own key and its own users, and has no ARN of them.
        *((KEY, found) for template in templates for found in _KEY.findall(template)),
        *((USER_POOL, found) for template in templates for found in _USER_POOL.findall(template)),
    }


def name_endpoints(stacks: Collection[StandingStack]) -> list[str]:
    """The endpoints that the outputs of stacks name."""
    outputs = [recipe.endpoint_name_output for recipe in list_recipes()]
    return [stack.outputs[name] for stack in stacks for name in outputs if name in stack.outputs]


def needs_name(item: Item) -> bool:
    """Whether something is only deleted when it is named: what holds data, and logs that are to outlive their stack."""
    return HOLDERS[item.kind].is_named or item.is_retained


def check_protection(plan: Plan) -> None:
    """Refuse to delete stacks that are protected.

    Raises:
        ProtectedError: Naming them.
    """
    if protected := [stack.name for stack in plan.stacks if stack.is_protected]:
        raise ProtectedError(
            f"these stacks are protected from being deleted: {', '.join(protected)}; to delete them all the same, add "
            "--unprotect. What they keep outlives them (--dry-run lists it)"
        )


def check_names(plan: Plan) -> None:
    """Refuse to delete data that is not named.

    Raises:
        UnnamedDataError: Listing it.
    """
    data = plan.list_data()
    if unnamed := [item for item in data if not item.is_retained and not plan.is_named(item)]:
        lines = "".join(f"\n  {HOLDERS[item.kind].word} {item.name}" for item in unnamed)
        raise UnnamedDataError(
            f"this holds data, would be deleted, and is not named:{lines}\n"
            "name each with --delete-data NAME; a shell pattern names several"
        )
