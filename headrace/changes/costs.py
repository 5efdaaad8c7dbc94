"""What a resource costs while it only stands there, in US dollars a month: planning numbers, from the inventory."""

from collections.abc import Mapping
from typing import Any

from headrace.inventory.bill import price
from headrace.inventory.items import Item, Maker
from headrace.inventory.kinds import KINDS
from headrace.inventory.prices import usual_prices


def estimate_month(kind: str, properties: Mapping[str, Any]) -> float:
    """What a resource costs a month, whatever it is used for."""
    return price(Item(kind=kind, name="", maker=Maker.TEMPLATE, properties=properties), usual_prices()).monthly


def describe_cost(kind: str, properties: Mapping[str, Any]) -> str:
    """What a resource that stays costs, in words; empty where it costs nothing."""
    if month := estimate_month(kind, properties):
        return f"about {month:.2f} USD a month" if month < 1 else f"about {month:.0f} USD a month"
    if rate := _find_rate(kind):
        return f"{rate:.2f} USD per GB and month" if rate >= 0.1 else f"{rate:.3f} USD per GB and month"
    return ""


def _find_rate(kind: str) -> float | None:
    """What a GB costs a month that is in it."""
    stored = (name for name in KINDS[kind].metered if name.endswith("gb-month")) if kind in KINDS else iter(())
    return next((usual_prices().each(name) for name in stored), None)
