"""Lines of a bill: so many units at a price."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from headrace.cost.machines import Machines
from headrace.inventory import Charge, PriceError, PriceList
from headrace.inventory.prices import HOURS_PER_MONTH, INSTANCE

SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True)
class Line:
    """A line of a bill.

    Args:
        section: The part of the platform.
        what: What is paid for.
        quantity: How much of it.
        unit: What is counted.
        usd: US dollars; None where the price is not known.
    """

    section: str
    what: str
    quantity: float
    unit: str
    usd: float | None


def make_line(section: str, what: str, charge: Charge, prices: PriceList) -> Line:
    """A line for so many units of what a price is for."""
    try:
        price = prices.find(charge.price)
    except PriceError:
        return Line(section, what, charge.quantity, charge.price.removeprefix(INSTANCE), None)
    return Line(section, what, charge.quantity, price.unit, price.each * charge.quantity)


def list_job_lines(section: str, machines: Machines, seconds: float, prices: PriceList) -> Iterable[Line]:
    """What a job costs: its machines, and their volumes, for so many seconds each."""
    what = f"{machines.kind.word} on {machines.instance_type}"
    hours = machines.count * seconds / SECONDS_PER_HOUR
    yield make_line(section, what, Charge(f"{INSTANCE}{machines.instance_type}", hours), prices)
    if machines.kind.volume and machines.volume_gb:
        held = machines.volume_gb * hours / HOURS_PER_MONTH
        yield make_line(section, f"volume of the {machines.kind.word}", Charge(machines.kind.volume, held), prices)


def total(lines: Iterable[Line]) -> float:
    """US dollars of all lines whose price is known."""
    return sum(line.usd or 0.0 for line in lines)
