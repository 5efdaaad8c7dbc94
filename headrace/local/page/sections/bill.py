"""The bill: what AWS would have charged for what was used of the local cloud."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.inventory.prices import PriceList, usual_prices
from headrace.local.bill import LEAST_USD, Bill, make_bill
from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request

_IDLE_SECONDS: Final = 4.0


class BillSection:
    """The section of the bill.

    Args:
        describe_usage: Says what was used, as `headrace.local.usage.Usage` does.
        prices: What AWS asks for.
    """

    name: Final = "bill"
    title: Final = "Bill"

    def __init__(self, describe_usage: Callable[[], Mapping[str, Any]], prices: PriceList | None = None) -> None:
        self._describe_usage = describe_usage
        self._prices = prices or usual_prices()

    def answer(self, request: Request) -> View:
        """The bill from the cloud's beginning until now."""
        if request.segments[1:]:
            raise PageError(404, "the bill has no parts")
        return show_bill(make_bill(self._describe_usage(), self._prices), self._prices)


def show_bill(bill: Bill, prices: PriceList) -> View:
    """A bill, the dearest lines first; those below half a cent are summed up."""
    values = {
        "bill": bill,
        "rest": sum(line.usd or 0 for line in bill.cheap),
        "least": LEAST_USD,
        "prices": prices,
    }
    return View("bill.html", "Bill", values, _IDLE_SECONDS)
