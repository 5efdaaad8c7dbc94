"""Reports of cost for a terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from headrace.cli.tables import render_table
from headrace.cost.billed import Billed
from headrace.cost.choices import Way
from headrace.cost.lines import Line, total
from headrace.cost.recorded import Recorded
from headrace.cost.report import Report
from headrace.cost.sizing import Advice
from headrace.cost.writing import describe_line, list_line_rows, list_standing_rows, show_usd
from headrace.inventory import PriceList

_LINES = ("part", "what", "quantity", "unit", "USD")
_PARTS = ("CPU", "memory", "GPU")


def render_report(report: Report, scenario: str) -> str:
    """What stands and what using it costs.

    Args:
        report: The report.
        scenario: Whose run cost is shown line by line.
    """
    usage, executions = report.usages[scenario], report.scenarios[scenario].executions
    return "\n\n".join(
        [
            f"What stands costs {report.standing:,.2f} USD a month while nothing runs.",
            render_table(
                ("stack", "USD"), [(stack, show_usd(usd)) for stack, usd in report.by_stack.items()], numbers={1}
            ),
            render_table(("stack", "what", "name", "USD", "off switch"), list_standing_rows(report), numbers={3}),
            f"One execution of each workload costs {total(usage.executions):,.2f} USD, as of '{scenario}' use.",
            _render_lines(usage.executions),
            f"A month of '{scenario}' use costs {total(usage.month):,.2f} USD besides {executions:g} executions.",
            _render_lines(usage.month),
            "A month with what stands:",
            _render_months(report),
            f"List prices of {report.prices.region}, checked {report.prices.checked}, without any free tier.",
        ]
    )


def render_recorded(
    recorded: Recorded,
    predicted: Recorded | None,
    prices: PriceList,
    advice: Sequence[Advice] | None,
    *,
    as_json: bool,
) -> str:
    """What an execution has cost, beside what would have been predicted, and what its machines are advised to be."""
    lines = recorded.list_lines(prices)
    expected = predicted.list_lines(prices) if predicted else []
    if as_json:
        return json.dumps(_describe_recorded(recorded, lines, expected) | describe_advice(advice), indent=2)
    parts = [f"{recorded.name} has cost {total(lines):,.4f} USD.", _render_exactly(lines)]
    if expected:
        away = 100 * (total(expected) / total(lines) - 1) if total(lines) else 0.0
        parts += [f"The prediction was {total(expected):,.4f} USD, {away:+.1f} %.", _render_exactly(expected)]
    if advice:
        parts += [render_advice(advice)]
    return "\n\n".join(parts)


def render_advice(advice: Sequence[Advice]) -> str:
    """The most that was used of each machine, and whether a smaller one would do."""
    header = ("machines of", "what", "type", *_PARTS, "advice")
    rows = [
        (
            each.machine.name,
            each.machine.kind,
            each.machine.instance_type,
            *(f"{100 * each.used[part]:.0f} %" if part in each.used else "" for part in _PARTS),
            each.says,
        )
        for each in advice
    ]
    return f"The most that was used of the machines:\n\n{render_table(header, rows, numbers={3, 4, 5})}"


def describe_advice(advice: Sequence[Advice] | None) -> dict[str, Any]:
    """The same for programs; nothing where the machines were not looked at."""
    return {} if advice is None else {"sizing": [asdict(each) for each in advice]}


def render_choices(ways: Sequence[Way], *, as_json: bool) -> str:
    """The ways of each choice, with what they cost a month."""
    if as_json:
        return json.dumps([asdict(way) for way in ways], indent=2)
    rows = [(way.choice, way.way, show_usd(way.usd)) for way in ways]
    return render_table(("choice", "way", "USD a month"), rows, numbers={2})


def render_bill(billed: Sequence[Billed], *, as_json: bool) -> str:
    """What AWS has billed, by service."""
    if as_json:
        return json.dumps([asdict(each) for each in billed], indent=2)
    rows = [*((each.service, show_usd(each.usd)) for each in billed), ("all", show_usd(sum(b.usd for b in billed)))]
    return render_table(("service", "USD this month"), rows, numbers={1})


def _render_lines(lines: tuple[Line, ...]) -> str:
    if not lines:
        return "nothing"
    return render_table(_LINES, list_line_rows(lines), numbers={2, 4})


def _render_months(report: Report) -> str:
    rows = [
        (
            name,
            f"{report.scenarios[name].executions:g}",
            show_usd(total(usage.executions)),
            show_usd(report.month_of(name)),
        )
        for name, usage in report.usages.items()
    ]
    return render_table(("use", "executions", "USD each", "USD a month"), rows, numbers={1, 2, 3})


def _render_exactly(lines: list[Line]) -> str:
    rows = [
        (line.section, line.what, f"{line.quantity:,.6f}", line.unit, "?" if line.usd is None else f"{line.usd:,.6f}")
        for line in lines
    ]
    return render_table(("job", "what", "quantity", "unit", "USD"), rows, numbers={2, 4})


def _describe_recorded(recorded: Recorded, lines: list[Line], expected: list[Line]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "execution": recorded.name,
        "usd": total(lines),
        "lines": [describe_line(line) for line in lines],
    }
    if expected:
        found["predicted"] = {"usd": total(expected), "lines": [describe_line(line) for line in expected]}
    return found
