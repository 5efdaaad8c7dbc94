"""Looks whether anything of an environment is left that costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headrace.deletion.planning import Plan
from headrace.inventory import KINDS, Item, PriceList, price
from headrace.inventory.charges import charge_nothing


@dataclass(frozen=True)
class Leftover:
    """Something that costs while it stands.

    Args:
        item: The thing.
        monthly: US dollars a month, as far as they are known without measuring what is in it.
        cost: The same in words.
        note: Why it is there.
    """

    item: Item
    monthly: float
    cost: str
    note: str = ""


def is_billable(item: Item) -> bool:
    """Whether something costs while it only stands; of what is not known, that is assumed."""
    kind = KINDS.get(item.kind)
    return kind is None or kind.standing is not charge_nothing


def list_leftovers(plan: Plan, prices: PriceList) -> Iterator[Leftover]:
    """What is left of an environment and costs, with what it costs."""
    found: Sequence[tuple[Item, str]] = [
        *((item, "made at run time") for item in plan.made),
        *((item, f"in {item.stack}") for item in plan.items),
        *((item, f"kept by {item.stack}") for item in plan.kept),
    ]
    for item, note in found:
        if is_billable(item):
            priced = price(item, prices)
            if priced.monthly or priced.unpriced or KINDS[item.kind].metered:
                yield Leftover(item, priced.monthly, describe_cost(item, prices), note)


def describe_cost(item: Item, prices: PriceList) -> str:
    """What something costs while it stands, in words; empty where that is nothing."""
    if not is_billable(item):
        return ""
    priced = price(item, prices)
    if priced.unpriced:
        return f"not known: {priced.unpriced}"
    if priced.monthly:
        return f"{priced.monthly:,.2f} a month"
    stored = [prices.find(name) for name in KINDS[item.kind].metered if prices.find(name).unit == "GB-month"]
    return f"{stored[0].each:g} a month per GB" if stored else ""
