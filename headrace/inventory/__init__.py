"""What an environment has, by whom it was made, and what it costs."""

from headrace.inventory.bill import PricedItem, price, price_all
from headrace.inventory.charges import Charge
from headrace.inventory.items import Item, Maker
from headrace.inventory.kinds import KINDS, Kind
from headrace.inventory.prices import Price, PriceError, PriceList, read_prices, usual_prices
from headrace.inventory.reading import list_items, read_assembly, read_stacks
from headrace.inventory.watching import WATCHES, Watch

__all__ = [
    "KINDS",
    "WATCHES",
    "Charge",
    "Item",
    "Kind",
    "Maker",
    "Price",
    "PriceError",
    "PriceList",
    "PricedItem",
    "Watch",
    "list_items",
    "price",
    "price_all",
    "read_assembly",
    "read_prices",
    "read_stacks",
    "usual_prices",
]
