"""Boxes lie apart, lines lead where they should and cross no box, whatever the graph."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.layout import Layout, lay_out
from headrace.pipeline.rows import Edge, Size

BOX = Size(100, 40)
Rectangle = tuple[float, float, float, float]


def find_rectangles(boxes: dict[str, Size], layout: Layout) -> dict[str, Rectangle]:
    """Left, top, right and bottom of each box."""
    return {
        name: (x - boxes[name].width / 2, y, x + boxes[name].width / 2, y + boxes[name].height)
        for name, (x, y) in layout.places.items()
    }


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[Edge]]:
    sizes = st.builds(Size, st.integers(60, 300), st.integers(30, 200))
    boxes = {str(number): draw(sizes) for number in range(draw(st.integers(1, 9)))}
    names = st.sampled_from(sorted(boxes))
    labels = st.none() | st.builds(Size, st.integers(10, 120), st.just(18))
    edges = draw(st.lists(st.builds(Edge, names, names, labels, st.sampled_from(["", "catch"])), max_size=16))
    return boxes, edges


@given(graphs())
def test_keeps_boxes_and_lines_apart(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    boxes, edges = graph
    layout = lay_out(boxes, edges)
    rectangles = find_rectangles(boxes, layout)

    assert layout.places.keys() == boxes.keys()
    assert not [pair for pair in combinations(rectangles.values(), 2) if overlap(*pair)]
    for left, top, right, bottom in rectangles.values():
        assert 0 <= left <= right <= layout.size.width
        assert 0 <= top <= bottom <= layout.size.height
    for edge, route in zip(edges, layout.routes, strict=True):
        assert (route.label is None) == (edge.label is None)
        # Between its columns a line stays between two rows, where no box is.
        for column in route.columns:
            line = (column.x - 1, column.top, column.x + 1, column.bottom)
            assert not [name for name, box in rectangles.items() if overlap(line, box)]
        for one, other in zip(route.columns, route.columns[1:], strict=False):
            between = (min(one.x, other.x), one.bottom, max(one.x, other.x), other.top)
            assert not [name for name, box in rectangles.items() if overlap(between, box)]


@given(graphs())
def test_connects_the_right_boxes(graph: tuple[dict[str, Size], list[Edge]]) -> None:
    boxes, edges = graph
    layout = lay_out(boxes, edges)
    rectangles = find_rectangles(boxes, layout)

    for edge, route in zip(edges, layout.routes, strict=True):
        if edge.source == edge.target:
            assert route.columns == ()
            continue
        upper, lower = (edge.target, edge.source) if route.leads_up else (edge.source, edge.target)
        first, last = route.columns[0], route.columns[-1]
        assert first.top == rectangles[upper][3]
        assert rectangles[upper][0] <= first.x <= rectangles[upper][2]
        assert last.bottom == rectangles[lower][1]
        assert rectangles[lower][0] <= last.x <= rectangles[lower][2]


def test_places_labels_apart() -> None:
    label = Size(80, 18)
    edges = [Edge("a", target, label) for target in "bcd"] + [Edge("b", "d", label), Edge("d", "a", label)]

    routes = lay_out(dict.fromkeys("abcd", BOX), edges).routes

    labels = [
        (route.label[0] - 40, route.label[1] - 9, route.label[0] + 40, route.label[1] + 9)
        for route in routes
        if route.label
    ]
    assert len(labels) == 5
    assert not [pair for pair in combinations(labels, 2) if overlap(*pair)]


def test_leads_a_circle_back_up() -> None:
    layout = lay_out(dict.fromkeys("abc", BOX), [Edge("a", "b"), Edge("b", "c"), Edge("c", "a")])

    assert [route.leads_up for route in layout.routes] == [False, False, True]
    assert layout.places["a"][1] < layout.places["b"][1] < layout.places["c"][1]


def test_draws_a_chain_as_one_straight_line() -> None:
    layout = lay_out(dict.fromkeys("abcd", BOX), [Edge("a", "b"), Edge("b", "c"), Edge("c", "d")])

    assert len({x for x, _ in layout.places.values()}) == 1
    assert len({column.x for route in layout.routes for column in route.columns}) == 1


def test_joins_lines_of_one_kind_on_their_way_to_one_box() -> None:
    edges = [Edge("a", "b"), Edge("b", "c"), Edge("c", "end"), Edge("a", "end", kind="catch")]
    edges.append(Edge("b", "end", kind="catch"))

    *_, one, other = lay_out(dict.fromkeys(["a", "b", "c", "end"], BOX), edges).routes

    assert one.columns[-2:] == other.columns[-2:]


@pytest.mark.parametrize("length", [1, 150])
def test_draws_long_chains_and_wide_rows(length: int) -> None:
    boxes = {str(number): BOX for number in range(length)}
    chain = [Edge(str(number), str(number + 1)) for number in range(length - 1)]
    fan = [Edge("0", str(number)) for number in range(1, min(length, 60))]

    assert len(lay_out(boxes, chain).places) == length
    assert len(lay_out(dict(list(boxes.items())[:60]), fan).places) == min(length, 60)
