"""Curves as SVG that needs nothing else: axes with numbers and units, one line and one mark for each series."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from headrace.errors import as_shown

_WIDTH: Final = 640
_HEIGHT: Final = 240
_LEFT: Final = 72
_RIGHT: Final = 16
_TOP: Final = 12
_BOTTOM: Final = 44
_TICKS: Final = 5
_MOST_POINTS: Final = 500
_LONGEST_NAME: Final = 60
# As many as can be told apart; then they begin again.
_COLOURS: Final = 6
# Less is no difference to a number of Python's.
_SMALLEST: Final = 1e-300
_MARKS: Final = ("M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z", "M-3-3h6v6h-6z", "M0-4l4 7h-8z")

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """What one curve shows.

    Args:
        name: What it is called.
        points: Seconds and values.
    """

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    """A drawn chart.

    Args:
        title: What its values are.
        drawing: The SVG.
        series: What it shows, for a table beside it.
    """

    title: str
    drawing: Markup
    series: Sequence[Series]


def draw_chart(title: str, series: Sequence[Series]) -> Chart:
    """A chart of values over time.

    Args:
        title: What the values are.
        series: What to show; each has at least one point.
    """
    points = [point for one in series for point in one.points]
    across = find_ticks(0, max(seconds for seconds, _ in points))
    up = find_ticks(min(value for _, value in points), max(value for _, value in points))
    words = "; ".join(_describe(one) for one in series)
    elements = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="chart">',
        f"<title>{escape(as_shown(title))}</title>",
        f"<desc>{escape(words)}</desc>",
        *_draw_axes(across, up),
        *(element for number, one in enumerate(series) for element in _draw_series(number, one, across, up)),
        "</svg>",
    ]
    return Chart(title, Markup("\n".join(elements)), series)  # noqa: S704


def find_ticks(low: float, high: float) -> list[float]:
    """Round numbers around two values and between them, in steps of 1, 2 or 5 times a power of ten."""
    if high - low <= max(abs(high) * 1e-9, _SMALLEST):
        distance = abs(high) * 0.1 or 1.0
        low, high = (low, high + distance) if low == 0 else (low - distance, high + distance)
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _describe(one: Series) -> str:
    values = [value for _, value in one.points]
    return f"{as_shown(one.name)}: {len(values)} values from {values[0]:.6g} to {values[-1]:.6g}"


def _draw_axes(across: Sequence[float], up: Sequence[float]) -> Iterator[str]:
    for value in up:
        y = _n(_place_y(value, up))
        yield f'<path class="grid" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>'
        yield f'<text class="tick" x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{value:.6g}</text>'
    for value in across:
        x = _n(_place_x(value, across))
        yield f'<path class="grid" d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        yield f'<text class="tick" x="{x}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{value:.6g}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>'
    place = f'x="{_n(middle)}" y="{_HEIGHT - 6}" text-anchor="middle"'
    yield f'<text class="tick" {place}>seconds since the first line of the log</text>'


def _draw_series(number: int, one: Series, across: Sequence[float], up: Sequence[float]) -> Iterator[str]:
    step = max(1, math.ceil(len(one.points) / _MOST_POINTS))
    kept = [*one.points[:-1:step], one.points[-1]]
    placed = [(_n(_place_x(seconds, across)), _n(_place_y(value, up))) for seconds, value in kept]
    style = f"series-{number % _COLOURS}"
    name = as_shown(one.name[:_LONGEST_NAME])
    yield f'<g class="{style}"><title>{escape(name)}</title>'
    yield f'<path class="curve" d="M{"L".join(f"{x} {y}" for x, y in placed)}"/>'
    for x, y in placed if len(placed) <= 40 else placed[-1:]:
        yield f'<path class="mark" transform="translate({x} {y})" d="{_MARKS[number % len(_MARKS)]}"/>'
    yield "</g>"


def _place_x(seconds: float, ticks: Sequence[float]) -> float:
    return _LEFT + (seconds - ticks[0]) / (ticks[-1] - ticks[0]) * (_WIDTH - _LEFT - _RIGHT)


def _place_y(value: float, ticks: Sequence[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
