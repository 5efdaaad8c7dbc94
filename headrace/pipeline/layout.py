"""Where boxes and lines are, once they are in rows: lines are straight, and cross no box.

What is the same in gives the same out, byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

from headrace.pipeline.rows import Edge, Item, Rows, Size, arrange_rows

_SWEEPS: Final = 48
_STRAIGHTENING: Final = 4
_BETWEEN_BOXES: Final = 28
_BETWEEN_LINES: Final = 14
_BETWEEN_PORTS: Final = 18
# Lines may lean, but not lie: rows are further apart where a line has a long way to go to the side.
_BETWEEN_ROWS: Final = 18
_LEAN: Final = 0.05
_MOST_BETWEEN_ROWS: Final = 48
# Beside a box, for a line from it to itself.
LOOP: Final = 30


@dataclass(frozen=True)
class Column:
    """Where a line goes straight down, from one height to another."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Route:
    """The way of a line, from top to bottom.

    Args:
        columns: Where it goes straight down; between them it bends. None for a line from a box to itself.
        leads_up: Whether its target is at the top.
        label: The middle of its label.
    """

    columns: tuple[Column, ...]
    leads_up: bool
    label: tuple[float, float] | None


@dataclass(frozen=True)
class Layout:
    """The middle of each box's upper edge, the way of each line, and how large all of it is."""

    places: Mapping[str, tuple[float, float]]
    routes: tuple[Route, ...]
    size: Size


def lay_out(boxes: Mapping[str, Size], edges: Sequence[Edge]) -> Layout:
    """Find a place for each box and a way for each line.

    Args:
        boxes: The sizes of the boxes by name; the first is at the top.
        edges: The lines.
    """
    return _Placement(boxes, edges, arrange_rows(boxes, edges)).finish()


class _Placement:
    def __init__(self, boxes: Mapping[str, Size], edges: Sequence[Edge], rows: Rows) -> None:
        self._boxes = boxes
        self._edges = edges
        self._rows = rows
        self._sizes = {item: self._measure(item) for row in rows.rows for item in row}
        self._at = {item: number for row in rows.rows for number, item in enumerate(row)}
        self._x = self._place()
        self._heights = [max(self._sizes[item].height for item in row) for row in rows.rows]
        self._tops = self._stack()

    def finish(self) -> Layout:
        """The layout, with its left edge at 0."""
        left = min(self._x[item] - size.width / 2 for item, size in self._sizes.items())
        right = max(self._x[item] + size.width / 2 for item, size in self._sizes.items())
        self._x = {item: x - left for item, x in self._x.items()}
        places = {
            item.box: (x, self._tops[item.row] + (self._heights[item.row] - self._sizes[item].height) / 2)
            for item, x in self._x.items()
            if item.box is not None
        }
        routes = tuple(self._route(number, places) for number in range(len(self._edges)))
        return Layout(places, routes, Size(right - left, self._tops[-1] + self._heights[-1]))

    def _measure(self, item: Item) -> Size:
        if item.labelled is not None:
            return self._edges[item.labelled].label or Size(0, 0)
        if item.box is None:
            return Size(0, 0)
        size = self._boxes[item.box]
        loops = [edge for edge in self._edges if edge.source == edge.target == item.box]
        beside = max((LOOP + (edge.label.width if edge.label else 0) for edge in loops), default=0)
        return Size(size.width + 2 * beside, size.height)

    def _place(self) -> dict[Item, float]:
        """The middles of all items: near to their neighbours', as far as order and distance allow."""
        x = dict.fromkeys(self._sizes, 0.0)
        rows = self._rows
        for sweep in range(_SWEEPS):
            ways = [rows.below if sweep % 2 else rows.above] if sweep < _SWEEPS / 2 else [rows.above, rows.below]
            for row in reversed(rows.rows) if sweep % 2 else rows.rows:
                wanted = [_mean([other for way in ways for other in way[item]], item, x) for item in row]
                gaps = [self._gap(one, other) for one, other in pairwise(row)]
                x |= zip(row, _spread(wanted, gaps, [_weigh(item, item) for item in row]), strict=True)
        for _ in range(_STRAIGHTENING):
            for run in self._list_runs():
                self._straighten(run, x)
        return {item: float(round(middle)) for item, middle in x.items()}

    def _gap(self, one: Item, other: Item) -> float:
        """How far apart the middles of two items must be that are beside each other."""
        apart = _BETWEEN_LINES if one.box is None or other.box is None else _BETWEEN_BOXES
        return (self._sizes[one].width + self._sizes[other].width) / 2 + apart

    def _list_runs(self) -> list[list[Item]]:
        """Items below each other that had better have one middle: the parts of a long line, and lonely neighbours."""
        runs: dict[Item, list[Item]] = {}
        for upper in (item for row in self._rows.rows for item in row):
            for lower in self._rows.below[upper]:
                is_line = upper.line is not None and upper.line == lower.line
                if is_line or len(self._rows.below[upper]) == len(self._rows.above[lower]) == 1:
                    runs[lower] = [*runs.pop(upper, [upper]), lower]
        return list(runs.values())

    def _straighten(self, run: list[Item], x: dict[Item, float]) -> None:
        """Give a run one middle where its neighbours leave room for that, or else each half of it."""
        least, most = -inf, inf
        for item in run:
            row, number = self._rows.rows[item.row], self._at[item]
            if number > 0:
                least = max(least, x[row[number - 1]] + self._gap(row[number - 1], item))
            if number < len(row) - 1:
                most = min(most, x[row[number + 1]] - self._gap(item, row[number + 1]))
        if least <= most:
            x |= dict.fromkeys(run, min(most, max(least, sum(x[item] for item in run) / len(run))))
        elif len(run) > 1:
            self._straighten(run[: len(run) // 2], x)
            self._straighten(run[len(run) // 2 :], x)

    def _stack(self) -> list[float]:
        """The upper edge of each row."""
        tops = [0.0]
        for row, height in zip(self._rows.rows[:-1], self._heights, strict=False):
            reach = max(
                abs(self._x[item] - self._x[other]) for item in row for other in [item, *self._rows.below[item]]
            )
            tops.append(tops[-1] + height + round(min(_BETWEEN_ROWS + _LEAN * reach, _MOST_BETWEEN_ROWS)))
        return tops

    def _route(self, number: int, places: Mapping[str, tuple[float, float]]) -> Route:
        edge, chain = self._edges[number], self._rows.chains[number]
        if not chain:
            return Route((), leads_up=False, label=self._find_loop_label(edge, places[edge.source]))
        upper, *between, lower = chain
        label = None
        columns = []
        for item in between:
            top, height = self._tops[item.row], self._heights[item.row]
            columns.append(Column(self._x[item], top, top + height))
            if item.labelled is not None:
                label = (self._x[item], top + height / 2)
        start, end = self._find_port(upper, between[0]), self._find_port(lower, between[-1])
        _, upper_y = places[upper.box or ""]
        _, lower_y = places[lower.box or ""]
        first = Column(start, upper_y + self._sizes[upper].height, self._tops[upper.row] + self._heights[upper.row])
        last = Column(end, self._tops[lower.row], lower_y)
        return Route((first, *columns, last), leads_up=number in self._rows.turned, label=label)

    def _find_loop_label(self, edge: Edge, place: tuple[float, float]) -> tuple[float, float] | None:
        if edge.label is None:
            return None
        size = self._boxes[edge.source]
        return place[0] + size.width / 2 + LOOP + edge.label.width / 2, place[1] + size.height / 2

    def _find_port(self, box: Item, neighbour: Item) -> float:
        """Where a line leaves a box: beside its other lines, in the order of where they go."""
        neighbours = self._rows.below if neighbour.row > box.row else self._rows.above
        others = sorted(neighbours[box], key=self._x.__getitem__)
        step = min(_BETWEEN_PORTS, (self._boxes[box.box or ""].width - 20) / max(1, len(others) - 1))
        return self._x[box] + (others.index(neighbour) - (len(others) - 1) / 2) * step


def _mean(near: Sequence[Item], item: Item, x: Mapping[Item, float]) -> float:
    """The weighted mean of an item's neighbours; one without any stays where it is."""
    weights = [_weigh(item, other) for other in near]
    return (
        sum(weight * x[other] for weight, other in zip(weights, near, strict=True)) / sum(weights) if near else x[item]
    )


def _weigh(one: Item, other: Item) -> int:
    """How much it matters that a line is straight between two items: bends in a long line look worst."""
    return 1 + 3 * sum(item.box is None for item in (one, other))


def _spread(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[int]) -> list[float]:
    """The places nearest to those wanted, in this order and no nearer to each other than the gaps."""
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, offsets, weights, strict=True):
        mean, heavy, count = want - offset, float(weight), 1
        while blocks and blocks[-1][0] > mean:
            other, other_heavy, other_count = blocks.pop()
            mean = (other * other_heavy + mean * heavy) / (other_heavy + heavy)
            heavy, count = heavy + other_heavy, count + other_count
        blocks.append((mean, heavy, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
