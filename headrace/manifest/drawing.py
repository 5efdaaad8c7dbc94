"""Charts of a manifest's distributions: bars in an SVG, which every browser shows and nothing has to draw."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from headrace.errors import as_shown
from headrace.files import whole_file
from headrace.manifest.statistics import AREA_LIMITS, Statistics

MOST_BARS: Final = 40
_ROW: Final = 20
_NAMES: Final = 200
_BARS: Final = 400
_WIDTH: Final = _NAMES + _BARS + 100
_LONGEST_NAME: Final = 28
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}"
    ".bar{fill:#3b6ea5}.number{fill:#555}"
)
Bars = Sequence[tuple[str, int]]


def draw_statistics(statistics: Statistics, path: Path, title: str) -> None:
    """Write the chart; it appears whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(render_statistics(statistics, title), encoding="utf-8", newline="\n")


def render_statistics(statistics: Statistics, title: str) -> str:
    """The chart as SVG."""
    charts: list[tuple[str, Bars]] = [
        (f"Labels of {title}", list_label_bars(statistics)),
        ("Boxes per image", [(str(boxes), rows) for boxes, rows in sorted(statistics.boxes_per_row.items())]),
        ("Part of the image a box covers", list_area_bars(statistics)),
    ]
    elements: list[str] = []
    y = 0
    for name, bars in charts:
        if bars:
            elements += _draw_chart(name, bars, y)
            y += (len(bars) + 3) * _ROW
    height = max(y, 2 * _ROW)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img">',
            f"<title>{escape(as_shown(title))}</title>",
            f"<style>{_STYLE}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *elements,
            "</svg>\n",
        ]
    )


def list_label_bars(statistics: Statistics) -> Bars:
    """The labels, most frequent first; the least frequent of very many in one bar."""
    ordered = sorted(statistics.labels.items(), key=lambda item: (-item[1], item[0]))
    shown, others = ordered[:MOST_BARS], ordered[MOST_BARS:]
    return [*shown, (f"{len(others)} others", sum(count for _, count in others))] if others else shown


def list_area_bars(statistics: Statistics) -> Bars:
    """How many boxes cover which part of their image."""
    if not statistics.areas:
        return []
    return [(f"up to {limit * 100:g} %", statistics.areas[limit]) for limit in AREA_LIMITS]


def _draw_chart(title: str, bars: Bars, top: int) -> list[str]:
    longest = max(count for _, count in bars) or 1
    elements = [f'<text class="title" x="10" y="{top + 1.5 * _ROW:g}">{escape(as_shown(title))}</text>']
    for number, (name, count) in enumerate(bars):
        y = top + (number + 2) * _ROW
        length = _BARS * count / longest
        elements += [
            f'<text x="{_NAMES - 8}" y="{y + 14}" text-anchor="end">{escape(as_shown(_shorten(name)))}</text>',
            f'<rect class="bar" x="{_NAMES}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 6}"/>',
            f'<text class="number" x="{_NAMES + length + 6:.1f}" y="{y + 14}">{count:,}</text>',
        ]
    return elements


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
