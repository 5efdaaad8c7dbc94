"""Curves of metrics."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.page.charts import Series, draw_chart, find_ticks

NUMBERS = st.floats(-1e299, 1e299, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (3, 3, [2.6, 2.8, 3, 3.2, 3.4]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0.12, 0.97, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1_054, 1_822, [1_000, 1_200, 1_400, 1_600, 1_800, 2_000]),
    ],
)
def test_finds_round_numbers_around_values(low: float, high: float, ticks: list[float]) -> None:
    assert find_ticks(low, high) == pytest.approx(ticks)


@given(NUMBERS, NUMBERS)
def test_finds_a_few_numbers_around_any_values(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = find_ticks(low, high)

    assert 2 <= len(ticks) <= 9
    assert all(map(math.isfinite, ticks))
    assert ticks[0] < ticks[-1]


def test_draws_every_series_with_its_name_and_values() -> None:
    chart = draw_chart("loss", [Series("train:loss", [(0, 2.0), (1, 1.0)]), Series("validation:loss", [(1, 1.5)])])

    ElementTree.fromstring(chart.drawing)  # noqa: S314
    assert "train:loss: 2 values from 2 to 1; validation:loss: 1 values from 1.5 to 1.5" in chart.drawing
    assert "seconds since the first line of the log" in chart.drawing
    assert len(re.findall('class="curve"', chart.drawing)) == 2
    assert len(re.findall('class="mark"', chart.drawing)) == 3


def test_draws_long_curves_with_few_points() -> None:
    chart = draw_chart("loss", [Series("loss", [(second, second) for second in range(100_000)])])

    assert len(chart.drawing) < 20_000
    assert len(re.findall('class="mark"', chart.drawing)) == 1


def test_escapes_names() -> None:
    chart = draw_chart("<script>", [Series('"><img onerror=1>\u202e\0', [(0, 1)])])

    root = ElementTree.fromstring(chart.drawing)  # noqa: S314
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "title", "desc", "path", "text", "g"}
    assert "\u202e" not in chart.drawing
