"""Made-up Big Mart sales, for running everything on a machine that has no data.

The shape follows the public Big Mart set as summarised, never its rows: 1,559 items of 16 types with their numbers of
items, ten outlets with their years, sizes, tiers and types, the four price bands, the outlets that record no weight or
no size, the five spellings of fat content, and for each outlet type the mean and spread of sales over price.
"""

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from headrace.files import whole_file

COLUMNS = (
    "Item_Identifier",
    "Item_Weight",
    "Item_Fat_Content",
    "Item_Visibility",
    "Item_Type",
    "Item_MRP",
    "Outlet_Identifier",
    "Outlet_Establishment_Year",
    "Outlet_Size",
    "Outlet_Location_Type",
    "Outlet_Type",
    "Item_Outlet_Sales",
)
DEFAULT_ROWS = 8523
DEFAULT_SEED = 2013

Row = tuple[str, ...]


@dataclass(frozen=True)
class ItemType:
    """A kind of item: its prefix in identifiers, how many items there are, and the share that is low in fat."""

    name: str
    prefix: str
    items: int
    low_fat: float


@dataclass(frozen=True)
class Outlet:
    """A shop as its rows describe it; an empty size was never recorded."""

    identifier: str
    year: int
    size: str
    tier: str
    kind: str
    records_weight: bool = True


@dataclass(frozen=True)
class Demand:
    """Sales over price in one type of outlet: mean and coefficient of variation."""

    mean: float
    variation: float


@dataclass(frozen=True)
class Item:
    """One item of the assortment, the same in every outlet."""

    identifier: str
    kind: str
    weight: float
    low_fat: bool
    price: float
    visibility: float


ITEM_TYPES = (
    ItemType("Baking Goods", "FD", 119, 0.51),
    ItemType("Breads", "FD", 45, 0.56),
    ItemType("Breakfast", "FD", 20, 0.37),
    ItemType("Canned", "FD", 120, 0.53),
    ItemType("Dairy", "FD", 125, 0.61),
    ItemType("Frozen Foods", "FD", 155, 0.53),
    ItemType("Fruits and Vegetables", "FD", 220, 0.51),
    ItemType("Hard Drinks", "DR", 40, 1.0),
    ItemType("Health and Hygiene", "NC", 95, 1.0),
    ItemType("Household", "NC", 170, 1.0),
    ItemType("Meat", "FD", 80, 0.40),
    ItemType("Others", "NC", 30, 1.0),
    ItemType("Seafood", "FD", 10, 0.58),
    ItemType("Snack Foods", "FD", 220, 0.58),
    ItemType("Soft Drinks", "DR", 80, 0.84),
    ItemType("Starchy Foods", "FD", 30, 0.55),
)
OUTLETS = (
    Outlet("OUT010", 1998, "", "Tier 3", "Grocery Store"),
    Outlet("OUT013", 1987, "High", "Tier 3", "Supermarket Type1"),
    Outlet("OUT017", 2007, "", "Tier 2", "Supermarket Type1"),
    Outlet("OUT018", 2009, "Medium", "Tier 3", "Supermarket Type2"),
    Outlet("OUT019", 1985, "Small", "Tier 1", "Grocery Store", records_weight=False),
    Outlet("OUT027", 1985, "Medium", "Tier 3", "Supermarket Type3", records_weight=False),
    Outlet("OUT035", 2004, "Small", "Tier 2", "Supermarket Type1"),
    Outlet("OUT045", 2002, "", "Tier 2", "Supermarket Type1"),
    Outlet("OUT046", 1997, "Small", "Tier 1", "Supermarket Type1"),
    Outlet("OUT049", 1999, "Medium", "Tier 1", "Supermarket Type1"),
)
DEMANDS = {
    "Grocery Store": Demand(2.4, 0.58),
    "Supermarket Type1": Demand(16.4, 0.44),
    "Supermarket Type2": Demand(13.9, 0.47),
    "Supermarket Type3": Demand(26.6, 0.36),
}
# Lowest and highest price of each band, and its share of the items.
PRICE_BANDS = ((33.0, 68.0, 0.16), (72.0, 134.0, 0.32), (138.0, 200.0, 0.35), (210.0, 265.0, 0.17))
PRICE_SPREAD = 2.0
LIGHTEST, HEAVIEST = 4.555, 21.35
LOW_FAT_SPELLINGS = (("Low Fat", 0.92), ("LF", 0.06), ("low fat", 0.02))
REGULAR_SPELLINGS = (("Regular", 0.96), ("reg", 0.04))
# Logarithm of visibility: mean and standard deviation; grocery stores are small, so each item shows more.
VISIBILITY = (-2.98, 0.75)
GROCERY_VISIBILITY = 1.75
HIGHEST_VISIBILITY = 0.32
HIDDEN_SHARE = 0.062
# Grocery stores carry about six of ten items that a supermarket carries.
GROCERY_SHARE = 0.58


def write_csv(path: Path, rows: int = DEFAULT_ROWS, seed: int = DEFAULT_SEED) -> None:
    """Write a file of made-up sales with a header; it appears whole or not at all."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(make_rows(rows, seed))


def make_rows(rows: int, seed: int) -> Iterator[Row]:
    """Made-up sales, the same for the same seed; an item is repeated in an outlet only beyond about 13,000 rows."""
    # Made-up data need no cryptographic randomness, but the same bytes for a seed.
    chance = random.Random(seed)  # noqa: S311
    items = make_items(chance)
    pairs = make_pairs(items, chance)
    for _ in range(rows):
        item, outlet = next(pairs)
        yield make_row(item, outlet, chance)


def make_items(chance: random.Random) -> list[Item]:
    """The assortment."""
    items = []
    for prefix in ("DR", "FD", "NC"):
        kinds = [kind for kind in ITEM_TYPES if kind.prefix == prefix for _ in range(kind.items)]
        identifiers = [f"{prefix}{letter}{number:02d}" for letter in ascii_uppercase for number in range(1, 61)]
        chosen = chance.sample(identifiers, len(kinds))
        items += [make_item(identifier, kind, chance) for identifier, kind in zip(chosen, kinds, strict=True)]
    return items


def make_item(identifier: str, kind: ItemType, chance: random.Random) -> Item:
    """One item with its weight, fat, price and visibility."""
    band = chance.choices(PRICE_BANDS, weights=[share for _, _, share in PRICE_BANDS])[0]
    return Item(
        identifier=identifier,
        kind=kind.name,
        weight=round(chance.uniform(LIGHTEST, HEAVIEST), 2),
        low_fat=chance.random() < kind.low_fat,
        price=chance.uniform(band[0], band[1]),
        visibility=min(math.exp(chance.gauss(*VISIBILITY)), HIGHEST_VISIBILITY / GROCERY_VISIBILITY),
    )


def make_pairs(items: list[Item], chance: random.Random) -> Iterator[tuple[Item, Outlet]]:
    """Items in outlets in random order, without end; every pair comes up once before any does again."""
    pairs = [(item, outlet) for item in items for outlet in OUTLETS]
    while True:
        chance.shuffle(pairs)
        for item, outlet in pairs:
            if outlet.kind != "Grocery Store" or chance.random() < GROCERY_SHARE:
                yield item, outlet


def make_row(item: Item, outlet: Outlet, chance: random.Random) -> Row:
    """One row of the file."""
    price = item.price + chance.uniform(-PRICE_SPREAD, PRICE_SPREAD)
    return (
        item.identifier,
        f"{item.weight:g}" if outlet.records_weight else "",
        spell_fat(item, chance),
        f"{find_visibility(item, outlet, chance):.9f}",
        item.kind,
        f"{price:.4f}",
        outlet.identifier,
        str(outlet.year),
        outlet.size,
        outlet.tier,
        outlet.kind,
        f"{price * draw_demand(DEMANDS[outlet.kind], chance):.4f}",
    )


def spell_fat(item: Item, chance: random.Random) -> str:
    """The item's fat content in one of the spellings that clerks use."""
    spellings = LOW_FAT_SPELLINGS if item.low_fat else REGULAR_SPELLINGS
    return chance.choices([name for name, _ in spellings], weights=[share for _, share in spellings])[0]


def find_visibility(item: Item, outlet: Outlet, chance: random.Random) -> float:
    """The share of the outlet's display that the item gets; zero where it was not recorded."""
    if chance.random() < HIDDEN_SHARE:
        return 0.0
    return item.visibility * (GROCERY_VISIBILITY if outlet.kind == "Grocery Store" else 1.0)


def draw_demand(demand: Demand, chance: random.Random) -> float:
    """Sales over price, drawn from a gamma distribution, which is skewed and never negative."""
    shape = 1 / demand.variation**2
    return chance.gammavariate(shape, demand.mean / shape)
