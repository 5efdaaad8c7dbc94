"""Forecasts of a training job as a chart in SVG: what was sold, the middle forecast, and the band of its quantiles."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any, Final

from headrace.errors import HeadraceError

_WIDTH: Final = 920
_LEFT: Final = 56
_RIGHT: Final = 896
_HEAD: Final = 78
_PANEL: Final = 190
_PLOT: Final = 138
_MOST_PANELS: Final = 4
_MIDDLE: Final = "0.5"
# Apart by lightness too, for those who tell few colours apart.
_STYLE: Final = (
    'text{font-family:"Helvetica Neue",Arial,sans-serif;font-size:13px;fill:#16191f}'
    ".head{font-size:18px;font-weight:700}.quiet{fill:#5a6472;font-size:12px}.end{text-anchor:end}.paper{fill:#fff}"
    ".band{fill:#6aa7e8;fill-opacity:.35}.middle{fill:none;stroke:#1b4f8a;stroke-width:2}"
    ".sold{fill:none;stroke:#d9730d;stroke-width:1.2}.axis{stroke:#b9c2cd}.cut{stroke:#5a6472;stroke-dasharray:4 4}"
    "@media (prefers-color-scheme:dark){text{fill:#e9edf2}.quiet{fill:#a7b1be}.paper{fill:#12161c}"
    ".middle{stroke:#a9cdf5}.sold{stroke:#f0a355}}"
)


class DrawingError(HeadraceError):
    """An evaluation without forecasts that could be drawn."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A series by its number in the test: what was sold before its forecast and then, and quantiles of that."""

    series: int
    start: date
    before: Sequence[float | None]
    demand: Sequence[float]
    quantiles: Mapping[str, Sequence[float]]


def read_shown(content: bytes, name: str) -> list[Shown]:
    """The forecasts in a training job's `evaluation.json`.

    Args:
        content: The file.
        name: What a message calls it.

    Raises:
        DrawingError: If there are none.
    """
    try:
        document: Mapping[str, Any] = json.loads(content)
        shown = [Shown(**{**one, "start": date.fromisoformat(one["start"])}) for one in document["shown"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DrawingError(
            f"{name} has no forecasts; give the evaluation.json of a training job of the forecasting workload"
        ) from error
    if not shown or not all(one.demand and one.quantiles for one in shown):
        raise DrawingError(f"{name} has no forecasts: no series was tested; train on a longer history")
    return shown


def draw_forecasts(shown: Sequence[Shown], title: str) -> str:
    """The chart, a panel a series."""
    panels = shown[:_MOST_PANELS]
    height = _HEAD + _PANEL * len(panels)
    quantiles = sorted(panels[0].quantiles, key=float)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(_describe(panels, title))}"><style>{_STYLE}</style>',
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        _text(_LEFT, 32, title, "head"),
        *_draw_legend(quantiles),
        *(part for place, one in enumerate(panels) for part in _draw_panel(one, quantiles, _HEAD + place * _PANEL)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _describe(panels: Sequence[Shown], title: str) -> str:
    first = panels[0]
    return f"{title}: {len(panels)} series, {len(first.demand)} days from {first.start} on, with what was sold"


def _draw_legend(quantiles: Sequence[str]) -> Iterator[str]:
    yield f'<rect class="band" x="{_LEFT}" y="46" width="22" height="12"/>'
    yield _text(_LEFT + 28, 57, f"quantiles {quantiles[0]} to {quantiles[-1]}", "quiet")
    yield f'<path class="middle" d="M{_LEFT + 170},52h22"/>'
    yield _text(_LEFT + 198, 57, f"quantile {_MIDDLE}", "quiet")
    yield f'<path class="sold" d="M{_LEFT + 300},52h22"/>'
    yield _text(_LEFT + 328, 57, "sold", "quiet")


def _draw_panel(one: Shown, quantiles: Sequence[str], top: float) -> Iterator[str]:
    low, high = one.quantiles[quantiles[0]], one.quantiles[quantiles[-1]]
    known = [value for value in (*one.before, *one.demand) if value is not None]
    most = max(*high, *known, 1.0)
    days = len(one.before) + len(one.demand)

    def place(day: int, value: float) -> str:
        x = _LEFT + (_RIGHT - _LEFT) * day / max(days - 1, 1)
        return f"{x:.1f},{top + _PLOT * (1 - value / most):.1f}"

    begin = len(one.before)
    edge = [place(begin + day, value) for day, value in enumerate(high)]
    edge += [place(begin + day, value) for day, value in reversed(list(enumerate(low)))]
    cut = place(begin, 0.0).partition(",")[0]
    yield f'<path class="axis" d="M{_LEFT},{top + _PLOT:g}H{_RIGHT}"/>'
    yield f'<path class="cut" d="M{cut},{top:g}v{_PLOT}"/>'
    yield f'<polygon class="band" points="{" ".join(edge)}"/>'
    sold = [*one.before, *one.demand]
    yield _line("sold", [place(day, value) for day, value in enumerate(sold) if value is not None])
    if middle := one.quantiles.get(_MIDDLE):
        yield _line("middle", [place(begin + day, value) for day, value in enumerate(middle)])
    yield _text(_LEFT + 6, top + 12, f"series {one.series}", "")
    yield _text(_LEFT - 8, top + 10, f"{most:.0f}", "quiet end")
    yield _text(_LEFT - 8, top + _PLOT, "0", "quiet end")
    yield _text(_LEFT, top + _PLOT + 16, str(one.start - timedelta(days=begin)), "quiet")
    yield _text(float(cut) + 4, top + _PLOT + 16, f"{one.start}: the forecast begins", "quiet")
    yield _text(_RIGHT, top + _PLOT + 16, str(one.start + timedelta(days=len(one.demand) - 1)), "quiet end")


def _line(style: str, points: Sequence[str]) -> str:
    return f'<polyline class="{style}" points="{" ".join(points)}"/>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:g}" class="{style}">{escape(text)}</text>'
