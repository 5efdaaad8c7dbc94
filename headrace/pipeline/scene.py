"""Where everything of a state machine's drawing is: states, what runs inside them, and the ways between them."""

import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from headrace.errors import as_shown
from headrace.pipeline.definition import Machine, State, Transition
from headrace.pipeline.layout import Layout, Route, lay_out
from headrace.pipeline.rows import Edge, Size

START: Final = "start"
END: Final = "end"
LINE: Final = 17
PILL: Final = Size(64, 28)
_SMALLEST_BOX: Final = 130
# Room for a status with its seconds and visits.
_SMALLEST_WITH_STATUS: Final = 196
_PADDING: Final = 14
_LABEL_HEIGHT: Final = 18
# Widest letters of usual fonts at the sizes of the drawing, on average: boxes are too wide rather than too narrow.
_NAME_LETTER: Final = 8.6
_LETTER: Final = 7.2
_LONGEST_LINE: Final = 26
_LONGEST_LABEL: Final = 30


@dataclass(frozen=True)
class Way:
    """A line of the drawing.

    Args:
        source: Its state, or the start.
        target: Its state, or the end.
        labels: When it is taken; several where a state leads to another one in several cases.
        is_catch: Whether an error takes it.
    """

    source: str
    target: str
    labels: tuple[str, ...]
    is_catch: bool

    @property
    def label(self) -> str:
        """What is written on it."""
        if not self.labels:
            return ""
        more = f" + {len(self.labels) - 1} more" if len(self.labels) > 1 else ""
        return f"{shorten(self.labels[0], _LONGEST_LABEL - len(more))}{more}"


@dataclass(frozen=True)
class Room:
    """A state and what runs inside it.

    Args:
        state: Which state.
        name: Its name, in lines.
        work: What it does.
        size: The size of its box.
        machines: What runs inside it, each with its place in the box.
    """

    state: State
    name: tuple[str, ...]
    work: str
    size: Size
    machines: tuple[tuple[float, float, "Scene"], ...]


@dataclass(frozen=True)
class Scene:
    """A state machine with the places of its states and ways.

    Args:
        rooms: Its states.
        ways: Its ways, each with its route.
        layout: The places; those of the start and of the end are among them where they are drawn.
    """

    rooms: Mapping[str, Room]
    ways: tuple[tuple[Way, Route], ...]
    layout: Layout


def arrange(machine: Machine, *, has_statuses: bool, is_inside: bool = False) -> Scene:
    """Find a place for everything.

    Args:
        machine: The state machine.
        has_statuses: Whether boxes need room for what an execution did.
        is_inside: Whether it runs inside a state: then it has neither start nor end.
    """
    rooms = {key_of(name): _furnish(state, has_statuses) for name, state in machine.states.items()}
    boxes = {key: room.size for key, room in _first(rooms, key_of(machine.start)).items()}
    ways = list(_list_ways(machine))
    if is_inside:
        ways = [way for way in ways if way.source != START and way.target != END]
    else:
        boxes = {START: PILL, **boxes, END: PILL}
    edges = [Edge(way.source, way.target, _measure_label(way.label), "catch" if way.is_catch else "") for way in ways]
    layout = lay_out(boxes, edges)
    return Scene(rooms, tuple(zip(ways, layout.routes, strict=True)), layout)


def key_of(name: str) -> str:
    """What a state is called among the boxes, where the start and the end are, too."""
    return f"={name}"


def measure(text: str) -> int:
    """How many letters wide a text is; some scripts have letters of double width."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shorten(text: str, most: int) -> str:
    """A text on one line, cut where it is too long."""
    shown = as_shown(" ".join(text.split()))
    if measure(shown) <= most:
        return shown
    widths = list(accumulate(map(measure, shown)))
    return f"{shown[: bisect_right(widths, most - 1)]}…"


def _first(rooms: Mapping[str, Room], key: str) -> dict[str, Room]:
    """The rooms with one of them in front: the layout begins there."""
    return {key: rooms[key], **rooms}


def _list_ways(machine: Machine) -> Iterator[Way]:
    yield Way(START, key_of(machine.start), (), is_catch=False)
    for state in machine.states.values():
        together: dict[tuple[str, bool], list[Transition]] = {}
        for transition in state.transitions:
            together.setdefault((transition.target, transition.is_catch), []).append(transition)
        for (target, is_catch), transitions in together.items():
            labels = tuple(transition.label for transition in transitions if transition.label)
            yield Way(key_of(state.name), key_of(target), labels, is_catch)
        if state.ends:
            yield Way(key_of(state.name), END, (), is_catch=False)


def _furnish(state: State, has_statuses: bool) -> Room:
    name = tuple(_wrap(state.name))
    work = shorten(state.work, _LONGEST_LINE + 6)
    widths = [
        _SMALLEST_WITH_STATUS if has_statuses else _SMALLEST_BOX,
        *(measure(line) * _NAME_LETTER for line in name),
        measure(work) * _LETTER,
    ]
    top = LINE * (len(name) + 1 + has_statuses) + _PADDING
    inner, across, tallest = [], 0.0, 0.0
    for machine in state.machines:
        scene = arrange(machine, has_statuses=has_statuses, is_inside=True)
        inner.append((across, scene))
        across += scene.layout.size.width + 3 * _PADDING
        tallest = max(tallest, scene.layout.size.height)
    width = max(*widths, across - 3 * _PADDING + 2 * _PADDING) + 2 * _PADDING
    left = (width - across + 3 * _PADDING) / 2
    height = top + (tallest + 3 * _PADDING if inner else 0)
    machines = tuple((left + x, top + _PADDING, scene) for x, scene in inner)
    return Room(state, name, work, Size(float(round(width)), float(round(height))), machines)


def _wrap(name: str) -> list[str]:
    """A name in at most two lines."""
    lines = textwrap.wrap(as_shown(name), _LONGEST_LINE) or [""]
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    return [shorten(line, _LONGEST_LINE) for line in lines]


def _measure_label(label: str) -> Size | None:
    return Size(round(measure(label) * _LETTER + 8), _LABEL_HEIGHT) if label else None
