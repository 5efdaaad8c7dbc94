"""Reports in words: for a terminal, for a pull request, and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from headrace.cost.lines import Line, total
from headrace.cost.report import Report
from headrace.inventory import KINDS, PricedItem

_LEAST: Final = 0.005


def show_usd(usd: float | None) -> str:
    """An amount of US dollars for people."""
    if usd is None:
        return "?"
    return "<0.01" if 0 < usd < _LEAST else f"{usd:,.2f}"


def show_quantity(quantity: float) -> str:
    """A quantity for people."""
    return f"{quantity:,.0f}" if quantity >= 100 or quantity == int(quantity) else f"{quantity:,.3g}"


def list_standing_rows(report: Report) -> list[Sequence[str]]:
    """What costs something while it stands: stack, thing, name, US dollars a month, off switch."""
    return [
        (
            each.item.stack or "executions",
            KINDS[each.item.kind].word,
            each.item.name,
            show_usd(each.monthly),
            each.switch,
        )
        for each in report.costly
    ]


def list_line_rows(lines: Sequence[Line]) -> list[Sequence[str]]:
    """Lines of a bill: part, what, quantity, unit, US dollars."""
    return [
        (line.section, line.what, show_quantity(line.quantity), line.unit, show_usd(line.usd))
        for line in lines
        if line.quantity
    ]


def list_unpriced(report: Report) -> Iterator[str]:
    """What is not in the sums, a sentence each."""
    for reason, count in report.unpriced.items():
        yield f"{reason} ({count})" if count > 1 else reason
    usages = list(report.usages.values())
    yield from (usages[0].unread if usages else ())
    lines = [line for usage in usages for line in (*usage.executions, *usage.month) if line.usd is None]
    yield from sorted({f"no price of {line.unit} in {report.prices.region} is known" for line in lines})


def describe_report(report: Report) -> dict[str, Any]:
    """A report for programs; amounts are in US dollars, as they were computed."""
    return {
        "environment": report.environment,
        "prices": {"region": report.prices.region, "checked": report.prices.checked.isoformat()},
        "standing_usd": report.standing,
        "stacks": [{"stack": stack, "standing_usd": usd} for stack, usd in report.by_stack.items()],
        "resources": [_describe(each) for each in report.costly],
        "scenarios": {
            name: {
                "assumptions": asdict(report.scenarios[name]),
                "executions": [describe_line(line) for line in usage.executions],
                "execution_usd": total(usage.executions),
                "month": [describe_line(line) for line in usage.month],
                "month_usd": report.month_of(name),
            }
            for name, usage in report.usages.items()
        },
        "not_priced": list(list_unpriced(report)),
    }


def describe_line(line: Line) -> dict[str, Any]:
    """A line of a bill for programs."""
    return asdict(line)


def _describe(each: PricedItem) -> dict[str, Any]:
    return {
        "stack": each.item.stack,
        "type": each.item.kind,
        "name": each.item.name,
        "made_by": each.item.maker,
        "standing_usd": each.monthly,
        "charges": [asdict(charge) for charge in each.charges],
        "switch": each.switch,
    }
