"""Boxes and lines in rows, so that lines lead down and few of them cross: the first half of Sugiyama's layout.

Lines that would close a circle are turned round, a box's row is the longest way to it, and every row is ordered by the
mean of its neighbours. Between two rows of boxes is one for labels.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_SWEEPS: Final = 24


@dataclass(frozen=True)
class Size:
    """How large something is."""

    width: float
    height: float


@dataclass(frozen=True)
class Edge:
    """A line from one box to another.

    Args:
        source: Where it begins.
        target: Where it leads.
        label: The size of its label, if it has one.
        kind: Lines of one kind to one target come together on their way.
    """

    source: str
    target: str
    label: Size | None = None
    kind: str = ""


@dataclass(frozen=True)
class Item:
    """What takes up room in a row: a box, the label of a line, or a line on its way.

    Args:
        row: The number of the row.
        box: The name of the box.
        labelled: The number of the line whose label it is.
        line: The lines that come together here.
    """

    row: int
    box: str | None = None
    labelled: int | None = None
    line: tuple[str, str, bool] | None = None


@dataclass(frozen=True)
class Rows:
    """The rows from top to bottom, each from left to right.

    Args:
        rows: The rows.
        chains: What each line goes through, from its upper to its lower box; nothing for one from a box to itself.
        turned: The numbers of the lines that lead up.
        above: What is right above an item and connected with it.
        below: What is right below it.
    """

    rows: list[list[Item]]
    chains: list[list[Item]]
    turned: frozenset[int]
    above: Mapping[Item, list[Item]]
    below: Mapping[Item, list[Item]]


def arrange_rows(boxes: Mapping[str, Size], edges: Sequence[Edge]) -> Rows:
    """Find the rows.

    Args:
        boxes: The sizes of the boxes by name; the first is at the top.
        edges: The lines.
    """
    turned = _find_turned(boxes, edges)
    ranks = _rank(boxes, [_turn(edge) if number in turned else edge for number, edge in enumerate(edges)])
    chains = [_chain(number, edge, ranks, turned) for number, edge in enumerate(edges)]
    rows: list[list[Item]] = [[] for _ in range(max(ranks.values()) + 1)]
    for name in boxes:
        rows[ranks[name]].append(Item(ranks[name], box=name))
    for item in dict.fromkeys(item for chain in chains for item in chain[1:-1]):
        rows[item.row].append(item)
    above: dict[Item, list[Item]] = {item: [] for row in rows for item in row}
    below: dict[Item, list[Item]] = {item: [] for row in rows for item in row}
    for upper, lower in dict.fromkeys(link for chain in chains for link in pairwise(chain)):
        above[lower].append(upper)
        below[upper].append(lower)
    return Rows(_order(rows, above, below), chains, frozenset(turned), above, below)


def _turn(edge: Edge) -> Edge:
    return Edge(edge.target, edge.source)


def _find_turned(boxes: Mapping[str, Size], edges: Sequence[Edge]) -> set[int]:
    """The lines that close a circle, as one meets them from the first box on."""
    leaving: dict[str, list[int]] = {name: [] for name in boxes}
    for place, edge in enumerate(edges):
        leaving[edge.source].append(place)
    turned: set[int] = set()
    entered: set[str] = set()
    for first in boxes:
        path: dict[str, Iterator[int]] = {}
        if first not in entered:
            entered.add(first)
            path[first] = iter(leaving[first])
        while path:
            number: int | None = next(path[next(reversed(path))], None)
            if number is None:
                path.popitem()
            elif (target := edges[number].target) in path:
                turned.add(number)
            elif target not in entered:
                entered.add(target)
                path[target] = iter(leaving[target])
    return turned


def _rank(boxes: Mapping[str, Size], edges: Sequence[Edge]) -> dict[str, int]:
    """Each box's row, by the longest way to it."""
    ranks = dict.fromkeys(boxes, 0)
    missing = dict.fromkeys(boxes, 0)
    leaving: dict[str, list[str]] = {name: [] for name in boxes}
    for edge in edges:
        if edge.source != edge.target:
            missing[edge.target] += 1
            leaving[edge.source].append(edge.target)
    ready = [name for name in boxes if not missing[name]]
    for name in ready:
        for target in leaving[name]:
            ranks[target] = max(ranks[target], ranks[name] + 2)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return ranks


def _chain(number: int, edge: Edge, ranks: Mapping[str, int], turned: set[int]) -> list[Item]:
    """What a line goes through; lines that come together share what they go through from there on."""
    if edge.source == edge.target:
        return []
    is_turned = number in turned
    upper, lower = (edge.target, edge.source) if is_turned else (edge.source, edge.target)
    first, last = ranks[upper] + 1, ranks[lower] - 1
    labelled = last if is_turned else first
    between = [
        Item(row, labelled=number)
        if row == labelled and edge.label
        else Item(row, line=(edge.kind, edge.target, is_turned))
        for row in range(first, last + 1)
    ]
    return [Item(ranks[upper], box=upper), *between, Item(ranks[lower], box=lower)]


def _order(
    rows: list[list[Item]], above: Mapping[Item, list[Item]], below: Mapping[Item, list[Item]]
) -> list[list[Item]]:
    """The order with the fewest crossings of all that sweeps down and up come by."""
    best, fewest = [list(row) for row in rows], _count_crossings(rows, below)
    at = {item: number for row in rows for number, item in enumerate(row)}
    for sweep in range(_SWEEPS):
        for row in reversed(rows) if sweep % 2 else rows:
            means = {item: _mean(item, below if sweep % 2 else above, at) for item in row}
            row.sort(key=means.__getitem__)
            at |= {item: number for number, item in enumerate(row)}
        crossings = _count_crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if not fewest:
            break
    return best


def _mean(item: Item, neighbours: Mapping[Item, list[Item]], at: Mapping[Item, int]) -> float:
    """The mean place of an item's neighbours; one without any stays where it is."""
    near = [at[other] for other in neighbours[item]]
    return sum(near) / len(near) if near else at[item]


def _count_crossings(rows: Sequence[Sequence[Item]], below: Mapping[Item, list[Item]]) -> int:
    at = {item: number for row in rows for number, item in enumerate(row)}
    found = 0
    for row in rows:
        ends: list[int] = []
        for item in row:
            passed = [at[other] for other in below[item]]
            found += sum(len(ends) - bisect_right(ends, end) for end in passed)
            for end in passed:
                insort(ends, end)
    return found
