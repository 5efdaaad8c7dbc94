import json
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from headrace.demand.drawing import DrawingError, Shown, draw_forecasts, read_shown

SHOWN = Shown(
    series=1,
    start=date(2024, 10, 3),
    before=[1.0, None, 3.0],
    demand=[2.0, 4.0],
    quantiles={"0.9": [3.0, 5.0], "0.1": [1.0, 2.0], "0.5": [2.0, 3.0]},
)


def any_evaluation(**changes: Any) -> bytes:
    shown = {"series": 1, "start": "2024-10-03", "before": [1, None, 3], "demand": [2, 4]}
    quantiles = {"0.9": [3, 5], "0.1": [1, 2], "0.5": [2, 3]}
    return json.dumps({"shown": [{**shown, "quantiles": quantiles, **changes}]}).encode()


def test_reads_the_forecasts_of_an_evaluation() -> None:
    assert read_shown(any_evaluation(), "evaluation.json") == [SHOWN]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"shown": [{}]}', any_evaluation(start="today")])
def test_refuses_what_has_no_forecasts(content: bytes) -> None:
    with pytest.raises(DrawingError, match=r"^evaluation\.json has no forecasts; give the evaluation\.json of a train"):
        read_shown(content, "evaluation.json")


@pytest.mark.parametrize("content", [b'{"shown": []}', any_evaluation(demand=[])])
def test_refuses_an_evaluation_of_nothing(content: bytes) -> None:
    with pytest.raises(DrawingError, match="no series was tested"):
        read_shown(content, "evaluation.json")


def test_draws_a_panel_a_series_with_its_band_and_lines() -> None:
    svg = ET.fromstring(draw_forecasts([SHOWN] * 5, "Tea & soap"))  # noqa: S314 - our own

    shapes = [(element.tag.partition("}")[2], element.get("class")) for element in svg]
    assert svg.get("aria-label") == "Tea & soap: 4 series, 2 days from 2024-10-03 on, with what was sold"
    assert shapes.count(("polygon", "band")) == shapes.count(("polyline", "middle")) == 4
    points = [element.get("points", "").split() for element in svg if element.get("class") == "sold"]
    assert [len(each) for each in points if each] == [4] * 4
