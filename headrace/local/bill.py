"""What AWS would have charged for what was used of a local cloud."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from headrace.inventory.prices import INSTANCE, PriceList

# What is below half a cent is summed up.
LEAST_USD: Final = 0.005


@dataclass(frozen=True)
class BillLine:
    """What one thing costs at one price.

    Args:
        thing: What was used.
        price: The price's name.
        quantity: How much of it, and
        unit: in which unit; empty where the price is not known.
        usd: US dollars; None where the price is not known.
    """

    thing: str
    price: str
    quantity: float
    unit: str
    usd: float | None


@dataclass(frozen=True)
class Bill:
    """All of it.

    Args:
        since: When the cloud has begun,
        until: and until when it is billed, both on its clock.
        lines: The lines, the dearest first.
    """

    since: datetime
    until: datetime
    lines: tuple[BillLine, ...]

    @property
    def usd(self) -> float:
        """The sum of what is priced, in US dollars."""
        return sum(line.usd or 0 for line in self.lines)

    @property
    def dear(self) -> list[BillLine]:
        """The lines of half a cent or more, and those whose price is not known."""
        return [line for line in self.lines if line.usd is None or line.usd >= LEAST_USD]

    @property
    def cheap(self) -> list[BillLine]:
        """The other lines."""
        return [line for line in self.lines if line.usd is not None and line.usd < LEAST_USD]

    @property
    def unpriced(self) -> list[str]:
        """The things whose price is not known, with what is missing."""
        return [f"{line.thing}: {line.price.removeprefix(INSTANCE)}" for line in self.lines if line.usd is None]


def make_bill(told: Mapping[str, Any], prices: PriceList) -> Bill:
    """The bill of what was used.

    Args:
        told: What `headrace.local.usage.Usage.describe` says.
        prices: What AWS asks for.
    """
    lines = sorted((_price(use, prices) for use in told["uses"]), key=lambda line: (-(line.usd or 0), line.thing))
    return Bill(datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"]), tuple(lines))


def _price(use: Mapping[str, Any], prices: PriceList) -> BillLine:
    price = prices.prices.get(use["price"])
    usd = None if price is None else price.each * use["quantity"]
    return BillLine(use["thing"], use["price"], use["quantity"], price.unit if price else "", usd)
