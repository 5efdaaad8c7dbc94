"""What the things of an environment cost a month while they only stand."""

from collections.abc import Iterable
from dataclasses import dataclass

from headrace.inventory.charges import Charge, NotPricedError
from headrace.inventory.items import Item
from headrace.inventory.kinds import KINDS
from headrace.inventory.prices import PriceError, PriceList
from headrace.inventory.watching import WATCHES


@dataclass(frozen=True)
class PricedItem:
    """A thing with what it costs.

    Args:
        item: The thing.
        monthly: US dollars a month while it only stands.
        charges: What that is made of.
        unpriced: Why it is not known; empty where it is.
    """

    item: Item
    monthly: float = 0.0
    charges: tuple[Charge, ...] = ()
    unpriced: str = ""

    @property
    def switch(self) -> str:
        """The setting that turns it off."""
        kind = KINDS.get(self.item.kind)
        return kind.find_switch(self.item) if kind else ""

    @property
    def watched_by(self) -> str:
        """What watches it, for people."""
        watch = WATCHES.get(self.item.kind)
        return watch.words if watch else ""


def price(item: Item, prices: PriceList) -> PricedItem:
    """What a thing costs a month while it only stands; what cannot be known is said."""
    if item.kind not in KINDS:
        return PricedItem(item, unpriced=f"the type {item.kind} is not priced")
    try:
        charges = tuple(KINDS[item.kind].standing(item))
        return PricedItem(item, sum(prices.each(charge.price) * charge.quantity for charge in charges), charges)
    except (NotPricedError, PriceError) as error:
        return PricedItem(item, unpriced=str(error))


def price_all(items: Iterable[Item], prices: PriceList) -> list[PricedItem]:
    """What things cost, in their order."""
    return [price(item, prices) for item in items]
