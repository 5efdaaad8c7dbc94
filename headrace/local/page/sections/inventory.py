"""The inventory: what stands of an environment, what it costs a month, what turns it off and what can watch it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.contract import STACK_PREFIX
from headrace.cost.standing import is_lasting, measure_all
from headrace.inventory import KINDS, Maker, PricedItem, PriceList, price_all, read_stacks, usual_prices
from headrace.inventory.run_time import ENDPOINT, read_run_time
from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.local.page.sections.listings import JOB_KINDS

# Where the page shows what an execution, a job or a person has made.
_PLACES: Final = {
    ENDPOINT: ("endpoints",),
    **{f"AWS::SageMaker::{kind.name}": ("jobs", kind.word) for kind in JOB_KINDS},
}


@dataclass(frozen=True)
class Row:
    """One thing.

    Args:
        priced: The thing with its price.
        word: What people call it.
        holds: What it holds that is lost with it.
        watched_by: What can say that something is wrong with it.
        place: The parts of the path where the page shows it; empty where it does not.
    """

    priced: PricedItem
    word: str
    holds: str
    watched_by: str
    place: tuple[str, ...]

    @property
    def standing_monthly(self) -> float:
        """US dollars a month while nothing runs."""
        return self.priced.monthly if is_lasting(self.priced.item) else 0.0

    @property
    def running_monthly(self) -> float:
        """What a month of it would cost if it did not end by itself."""
        return self.priced.monthly - self.standing_monthly

    @property
    def is_notable(self) -> bool:
        """Whether it costs something, or may, holds something, can be watched, or was made at run time."""
        is_costly = bool(self.priced.monthly or self.priced.unpriced)
        return is_costly or bool(self.holds or self.watched_by) or self.priced.item.maker is Maker.RUN


@dataclass(frozen=True)
class Group:
    """The things of one stack, or those that no stack has made.

    Args:
        stack: The stack's name; empty for what no stack has made.
        rows: The things, the dearest first.
    """

    stack: str
    rows: tuple[Row, ...]

    @property
    def monthly(self) -> float:
        """US dollars a month while nothing runs."""
        return sum(row.standing_monthly for row in self.rows)

    @property
    def notable(self) -> list[Row]:
        """The things that people look for."""
        return [row for row in self.rows if row.is_notable]

    @property
    def others(self) -> list[Row]:
        """What the others need: policies, roles, routes."""
        return [row for row in self.rows if not row.is_notable]


class _Session:
    """The page's clients, as the inventory asks for them."""

    def __init__(self, clients: FindClient) -> None:
        self.client = clients


class Inventory:
    """The section of the inventory.

    Args:
        clients: Finds the client of a service.
        prices: What AWS asks for.
    """

    name: Final = "inventory"
    title: Final = "Inventory"

    def __init__(self, clients: FindClient, prices: PriceList | None = None) -> None:
        self._clients = clients
        self._prices = prices or usual_prices()

    def answer(self, request: Request) -> View:
        """What stands of an environment."""
        if request.segments[1:]:
            raise PageError(404, "the inventory has no parts")
        environments = list_environments(self._clients("cloudformation"))
        asked = request.query.get("environment", "")
        if asked and asked not in environments:
            raise PageError(404, f"the environment {asked!r} is not deployed")
        chosen = asked or next(iter(environments), "")
        priced = self._read(chosen) if chosen else []
        return show_inventory(environments, chosen, group_rows(priced), self._prices)

    def _read(self, environment: str) -> list[PricedItem]:
        session = _Session(self._clients)
        stacks = read_stacks(session, environment)
        items = measure_all(session, [*stacks, *read_run_time(session, environment, stacks)])
        return price_all(items, self._prices)


def list_environments(cloudformation: Any) -> list[str]:
    """The environments whose stacks stand, as their names say."""
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
    parts = [name.removeprefix(STACK_PREFIX).split("-") for name in names if name.startswith(STACK_PREFIX)]
    return sorted({environment for environment, *rest in parts if rest})


def group_rows(priced: Iterable[PricedItem]) -> list[Group]:
    """Things by stack, those that no stack has made first."""
    by_stack: dict[str, list[Row]] = defaultdict(list)
    for each in priced:
        by_stack[each.item.stack or ""].append(_make_row(each))
    return [
        Group(stack, tuple(sorted(rows, key=lambda row: (-row.priced.monthly, row.word, row.priced.item.name))))
        for stack, rows in sorted(by_stack.items())
    ]


def _make_row(priced: PricedItem) -> Row:
    item = priced.item
    kind = KINDS.get(item.kind)
    place = _PLACES.get(item.kind, ()) if item.maker is Maker.RUN else ()
    return Row(
        priced,
        kind.word if kind else item.kind,
        kind.holds if kind else "",
        priced.watched_by,
        (*place, item.name) if place else (),
    )


def show_inventory(environments: Sequence[str], environment: str, groups: Sequence[Group], prices: PriceList) -> View:
    """The inventory of an environment.

    Args:
        environments: All environments.
        environment: Which of them; empty where there is none.
        groups: What it has.
        prices: What AWS asks for.
    """
    rows = [row for group in groups for row in group.rows]
    values = {
        "environments": environments,
        "environment": environment,
        "groups": groups,
        "monthly": sum(group.monthly for group in groups),
        "count": len(rows),
        "unpriced": sorted({row.priced.unpriced for row in rows if row.priced.unpriced}),
        "prices": prices,
    }
    # Looked at once: it takes a request for each thing, and for each 1,000 objects.
    return View("inventory.html", "Inventory", values)
