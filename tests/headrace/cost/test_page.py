"""The generated parts of docs/cost.md, of the README and the chart: `make cost-table` writes them."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from headrace.cost.chart import draw
from headrace.cost.choices import list_choices
from headrace.cost.lines import total
from headrace.cost.report import Report, make_report
from headrace.cost.scenarios import SCENARIOS, Scenario
from headrace.cost.writing import show_usd
from headrace.inventory import KINDS, Price, list_items, usual_prices
from tests.conftest import PROJECT
from tests.stacks.conftest import ENVIRONMENTS, context_of
from tests.stacks.synthesis import read_synthesized

PAGE = PROJECT / "docs/cost.md"
README = PROJECT / "README.md"
CHART = PROJECT / "docs/drawings/cost.svg"
BEGIN, END = "<!-- what follows is written by `make cost-table` -->", "<!-- up to here -->"
STACK = re.compile(r"^\| stack `(\w+)` \|")


@cache
def report_of(environment: str) -> Report:
    items = list(list_items(read_synthesized(context_of(environment))))
    return make_report(items, usual_prices(), environment=environment)


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def list_parts() -> Iterator[str]:
    standing = [row for environment in ENVIRONMENTS for row in list_standing(report_of(environment))]
    yield "## What stands"
    yield "\n".join(
        f"- `{each}` stands for **{show_usd(report_of(each).standing)} a month** while nothing runs."
        for each in ENVIRONMENTS
    )
    yield write_table(("stack", "what", "USD a month", "off switch"), standing)
    yield "## Scenarios"
    yield write_table(
        ("a month", *(f"`{name}`" for name in SCENARIOS)),
        [
            *(
                (f"`{environment}`", *(show_usd(report_of(environment).month_of(name)) for name in SCENARIOS))
                for environment in ENVIRONMENTS
            ),
            *(
                (
                    f"one execution of each workload, `{environment}`",
                    *(show_usd(total(report_of(environment).usages[name].executions)) for name in SCENARIOS),
                )
                for environment in ENVIRONMENTS
            ),
        ],
    )
    yield write_table(
        ("assumption, a month", *SCENARIOS),
        [
            (f"`{each.name}`", *(show_number(getattr(scenario, each.name)) for scenario in SCENARIOS.values()))
            for each in fields(Scenario)
        ],
    )
    yield "## Choices"
    ways = {name: list(list_choices(scenario, usual_prices())) for name, scenario in SCENARIOS.items()}
    heads = ("FSx for Lustre", "training data", "way out of the VPC", "endpoint", "photographs normalized")
    names = [way.choice for way in ways["low"]]
    rows = [
        (
            heads[list(dict.fromkeys(names)).index(way.choice)],
            re.sub(", 40 hours$", "", way.way),
            *(show_usd(ways[name][number].usd) for name in SCENARIOS),
        )
        for number, way in enumerate(ways["low"])
    ]
    yield write_table(("choice", "way", *SCENARIOS), rows)
    yield "## Prices by type"
    yield write_table(("what", "type", "off switch", "billed by use"), list(list_kinds()))


def list_kinds() -> Iterator[Sequence[str]]:
    for name, kind in KINDS.items():
        if kind.metered or name in {each.item.kind for e in ENVIRONMENTS for each in report_of(e).costly}:
            prices = [usual_prices().find(each) for each in kind.metered]
            billed = ", ".join(map(show_price, prices))
            yield kind.word, f"`{name}`", quote(", ".join(dict.fromkeys(kind.switches.values()))), billed


def list_standing(report: Report) -> Iterator[Sequence[str]]:
    """What stands, with things of a type in a stack together."""
    for (stack, word), group in groupby(report.costly, key=lambda each: (each.item.stack, KINDS[each.item.kind].word)):
        things = list(group)
        what = word if len(things) == 1 else f"{len(things)} × {word}"  # noqa: RUF001 (times)
        yield str(stack), what, show_usd(sum(each.monthly for each in things)), quote(things[0].switch)


def show_number(number: float) -> str:
    return f"{number:,.4f}".rstrip("0").rstrip(".")


def show_price(price: Price) -> str:
    usd = f"{price.usd:.10f}".rstrip("0").rstrip(".")
    return f"{usd} per {price.per:,.0f} {price.unit}s" if price.per > 1 else f"{usd} per {price.unit}"


def quote(switch: str) -> str:
    return ", ".join(dict.fromkeys(f"`{each}`" for each in switch.split(", ") if each))


def write_page(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n\n".join([f"{before}{BEGIN}", *list_parts(), f"{END}{after}"])


def write_readme(readme: str) -> str:
    by_stack = {stack.rpartition("-")[2]: usd for stack, usd in report_of("dev").by_stack.items()}

    def fill(line: str) -> str:
        found = STACK.match(line)
        if not found:
            return line
        cells = line.split(" | ")
        return " | ".join([*cells[:2], f"{show_usd(by_stack[found[1].lower()])} |"])

    return "\n".join(fill(line) for line in readme.split("\n"))


@pytest.mark.parametrize(
    ("path", "write"),
    [(PAGE, write_page), (README, write_readme), (CHART, lambda _: draw(report_of("prod"), "What prod costs"))],
    ids=["page", "readme", "chart"],
)
def test_says_what_the_templates_cost(path: Path, write: object) -> None:
    assert callable(write)
    present = path.read_text() if path.exists() else ""
    if "HEADRACE_UPDATE_COST" in os.environ:
        path.write_text(write(present))

    assert path.read_text() == write(present)
