"""What a platform costs, put together: what stands, by stack and resource, and what using it adds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headrace.cost.lines import total
from headrace.cost.scenarios import SCENARIOS, Scenario
from headrace.cost.usage import Usage, estimate_usage
from headrace.inventory import Item, Maker, PricedItem, PriceList, price_all

# Where the standing cost of what no stack has made is added up.
MADE_BY_EXECUTIONS: Final = "executions"


@dataclass(frozen=True)
class Report:
    """What a platform costs.

    Args:
        priced: Each thing with its standing cost.
        scenarios: The scenarios by name.
        usages: What using it costs, by scenario.
        prices: The prices that were taken.
        environment: Whose platform it is, where the templates say so.
    """

    priced: tuple[PricedItem, ...]
    scenarios: dict[str, Scenario]
    usages: dict[str, Usage]
    prices: PriceList
    environment: str = ""

    @property
    def standing(self) -> float:
        """US dollars a month while nothing runs."""
        return sum(each.monthly for each in self.priced)

    @property
    def fixed(self) -> float:
        """US dollars a month of what stands, apart from endpoints and what is stored: scenarios assume those."""
        return sum(each.monthly for each in self.priced if each.item.maker is not Maker.RUN and not each.item.amounts)

    @property
    def costly(self) -> list[PricedItem]:
        """What costs something while it stands, by stack, the dearest first."""
        found = [each for each in self.priced if each.monthly]
        return sorted(found, key=lambda each: (each.item.stack or "", -each.monthly, each.item.name))

    @property
    def by_stack(self) -> dict[str, float]:
        """The standing cost of each stack, also of those that stand for nothing, the dearest first."""
        sums: dict[str, float] = {}
        for each in self.priced:
            place = each.item.stack or MADE_BY_EXECUTIONS
            sums[place] = sums.get(place, 0.0) + each.monthly
        return dict(sorted(sums.items(), key=lambda entry: (-entry[1], entry[0])))

    @property
    def unpriced(self) -> dict[str, int]:
        """Why what is not priced is not, with how many things that concerns."""
        return dict(sorted(Counter(each.unpriced for each in self.priced if each.unpriced).items()))

    def month_of(self, scenario: str) -> float:
        """US dollars a month in a scenario, with what stands."""
        usage, executions = self.usages[scenario], self.scenarios[scenario].executions
        return self.fixed + executions * total(usage.executions) + total(usage.month)


def make_report(
    items: Sequence[Item], prices: PriceList, scenarios: dict[str, Scenario] | None = None, environment: str = ""
) -> Report:
    """What a platform of these things costs.

    Args:
        items: The things.
        prices: The prices.
        scenarios: How much it is used, by the scenario's name; the usual ones if left out.
        environment: Whose platform it is.
    """
    chosen = scenarios or dict(SCENARIOS)
    usages = {name: estimate_usage(items, scenario, prices) for name, scenario in chosen.items()}
    return Report(tuple(price_all(items, prices)), chosen, usages, prices, environment)
