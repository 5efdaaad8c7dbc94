"""What AWS asks for: one dated file of list prices, each with its unit and its source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from headrace.errors import HeadraceError

# AWS bills by the hour; this is the month of its own calculator.
HOURS_PER_MONTH: Final = 730
INSTANCE: Final = "instance:"
OLD_AFTER_DAYS: Final = 180


class PriceError(HeadraceError):
    """A price is not known, or a file of prices cannot be read."""


@dataclass(frozen=True)
class Price:
    """What one unit costs.

    Args:
        usd: US dollars for so many units.
        unit: What is counted, such as `GB-month` or `request`.
        per: How many of them that pays for.
        source: Where the price was read, and when.
        checked: When it was last compared with AWS's; None for when its list was.
    """

    usd: float
    unit: str
    per: float
    source: str
    checked: date | None = None

    @property
    def each(self) -> float:
        """US dollars for one unit."""
        return self.usd / self.per


@dataclass(frozen=True)
class PriceList:
    """The list prices of a Region.

    Args:
        region: The Region.
        checked: When they were last compared with AWS's.
        prices: The prices by name; those of instances are named `instance:ml.m5.xlarge`.
    """

    region: str
    checked: date
    prices: Mapping[str, Price]

    def find(self, name: str) -> Price:
        """A price.

        Raises:
            PriceError: If it is not known.
        """
        if name not in self.prices:
            raise PriceError(f"no price of {name.removeprefix(INSTANCE)} in {self.region} is known")
        return self.prices[name]

    def each(self, name: str) -> float:
        """US dollars for one unit of what a name stands for.

        Raises:
            PriceError: If it is not known.
        """
        return self.find(name).each

    def is_old(self, today: date) -> bool:
        """Whether so much time has passed that they may have changed."""
        return _is_old(self.checked, today)

    def list_old(self, today: date) -> list[str]:
        """The prices that kept their value when the list was refreshed, so long ago that they may have changed."""
        return sorted(name for name, price in self.prices.items() if price.checked and _is_old(price.checked, today))


def _is_old(checked: date, today: date) -> bool:
    return today - checked > timedelta(days=OLD_AFTER_DAYS)


@cache
def usual_prices() -> PriceList:
    """The prices that come with this package: us-east-1's."""
    return _parse(json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8")))


def read_prices(path: Path) -> PriceList:
    """The prices in a file such as `headrace prices` writes.

    Raises:
        PriceError: If it is not such a file.
    """
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PriceError(f"{path}: is not a file of prices: {error!r}; `headrace prices` writes one") from error


def _parse(content: Mapping[str, Any]) -> PriceList:
    sources = content["sources"]
    return PriceList(
        content["region"],
        date.fromisoformat(content["checked"]),
        {
            name: Price(
                float(entry["usd"]),
                entry["unit"],
                float(entry.get("per", 1)),
                sources[entry["source"]],
                date.fromisoformat(entry["checked"]) if "checked" in entry else None,
            )
            for name, entry in content["prices"].items()
        },
    )
