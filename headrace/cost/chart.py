"""The cost of a platform as a chart in SVG: what stands, thing by thing, and what a month comes to in each scenario."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from headrace.cost.lines import Line
from headrace.cost.report import MADE_BY_EXECUTIONS, Report
from headrace.cost.writing import show_usd
from headrace.inventory import KINDS

_WIDTH: Final = 920
_LEFT: Final = 330
_BAR: Final = 430
_ROW: Final = 30
_MOST_ROWS: Final = 20
_MARGIN: Final = 24
_MOST_LETTERS: Final = 44
_HEAD: Final = 84
# Apart by lightness too, for those who tell few colours apart.
_PARTS: Final = {
    "standing": "#1b4f8a",
    "executions": "#d9730d",
    "endpoints": "#6aa7e8",
    "storage": "#3b7d4f",
    "other": "#b9c2cd",
}
_STYLE: Final = (
    'text{font-family:"Helvetica Neue",Arial,sans-serif;font-size:13px;fill:#16191f}'
    ".head{font-size:18px;font-weight:700}.part{font-size:15px;font-weight:700}.quiet{fill:#5a6472;font-size:12px}"
    ".end{text-anchor:end}.paper{fill:#fff}.track{fill:#eef1f4}"
    "@media (prefers-color-scheme:dark){text{fill:#e9edf2}.quiet{fill:#a7b1be}.paper{fill:#12161c}.track{fill:#1c222b}}"
)


def draw(report: Report, title: str) -> str:
    """A chart of a report.

    Args:
        report: The report.
        title: What it is of.
    """
    rows = _list_rows(report)
    below = _HEAD + _ROW * max(1, len(rows)) + 62
    height = below + _ROW * len(report.usages) + 2 * _MARGIN + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(_describe(report, title))}"><style>{_STYLE}</style>',
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        _text(_MARGIN, 36, title, "head"),
        _text(
            _MARGIN, 58, f"US dollars a month, list prices of {report.prices.region}, {report.prices.checked}", "quiet"
        ),
        *_draw_standing(rows),
        _text(_MARGIN, below - 14, "a month with use", "part"),
        *_draw_scenarios(report, below),
        *_draw_legend(below + _ROW * len(report.usages) + 26),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _describe(report: Report, title: str) -> str:
    months = ", ".join(f"{name} {show_usd(report.month_of(name))}" for name in report.usages)
    return f"{title}: {show_usd(report.standing)} USD a month while nothing runs; with use: {months}"


def _list_rows(report: Report) -> list[tuple[str, float]]:
    """What stands, the dearest first; things of a type in a stack share a row."""
    sums: dict[str, float] = {}
    for each in report.costly:
        label = f"{KINDS[each.item.kind].word}, {each.item.section or MADE_BY_EXECUTIONS}"
        sums[label] = sums.get(label, 0.0) + each.monthly
    rows = sorted(sums.items(), key=lambda row: -row[1])
    rest = sum(usd for _, usd in rows[_MOST_ROWS:])
    return [*rows[:_MOST_ROWS], *([("others", rest)] if rest else [])]


def _draw_standing(rows: list[tuple[str, float]]) -> Iterator[str]:
    yield _text(_MARGIN, _HEAD, f"standing: {show_usd(sum(usd for _, usd in rows))}", "part")
    if not rows:
        yield _text(_MARGIN, _HEAD + _ROW, "nothing costs anything while nothing runs", "quiet")
    most = max((usd for _, usd in rows), default=1.0)
    for number, (label, usd) in enumerate(rows):
        y = _HEAD + 14 + number * _ROW
        yield _text(_LEFT - 12, y + 15, _cut(label), "end")
        yield _bar(_LEFT, y, _BAR * usd / most, _PARTS["standing"])
        yield _text(_LEFT + _BAR * usd / most + 8, y + 15, show_usd(usd))


def _draw_scenarios(report: Report, top: float) -> Iterator[str]:
    for number, name in enumerate(report.usages):
        y, x, month = top + number * _ROW, float(_LEFT), report.month_of(name)
        yield _text(_LEFT - 12, y + 15, f"{name}: {report.scenarios[name].executions:g} executions", "end")
        yield f'<rect class="track" x="{_LEFT}" y="{y}" width="{_BAR}" height="20"/>'
        for part, usd in _split(report, name).items():
            width = _BAR * usd / month if month else 0.0
            yield _bar(x, y, width, _PARTS[part])
            x += width
        yield _text(_LEFT + _BAR + 8, y + 15, show_usd(month))


def _split(report: Report, name: str) -> Mapping[str, float]:
    """What a month in a scenario is made of."""
    usage, executions = report.usages[name], report.scenarios[name].executions
    sums = dict.fromkeys(_PARTS, 0.0)
    sums["standing"] = report.fixed
    sums["executions"] = executions * sum(line.usd or 0.0 for line in usage.executions)
    for line in usage.month:
        sums[_find_part(line)] += line.usd or 0.0
    return sums


def _find_part(line: Line) -> str:
    if "endpoint" in line.what and line.section != "network":
        return "endpoints"
    return "storage" if line.unit in ("GB-month", "object-month") else "other"


def _draw_legend(y: float) -> Iterator[str]:
    x = float(_LEFT)
    for part, colour in _PARTS.items():
        yield f'<rect x="{x:g}" y="{y - 11}" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 17, y, part, "quiet")
        x += 27 + 7.5 * len(part)


def _cut(label: str) -> str:
    return label if len(label) <= _MOST_LETTERS else f"{label[: _MOST_LETTERS - 1]}…"


def _bar(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="20" fill="{colour}"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    chosen = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:g}"{chosen}>{escape(text)}</text>'
