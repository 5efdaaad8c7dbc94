"""A state machine, and an execution on it, as SVG that needs nothing else and whose text is text.

What a colour says is written as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from headrace.errors import as_shown
from headrace.pipeline.definition import Machine
from headrace.pipeline.history import Execution, History, Status, Visit
from headrace.pipeline.layout import LOOP, Column, Route
from headrace.pipeline.rows import Size
from headrace.pipeline.scene import END, LINE, PILL, START, Room, Scene, Way, arrange, key_of, measure, shorten
from headrace.pipeline.style import render_style

_MARGIN: Final = 24
_HEADER: Final = 62
_LEGEND: Final = 40
_LEGEND_STEP: Final = 112
_LONGEST_HEAD: Final = 110
_HEAD_LETTER: Final = 7
_ARROW: Final = 7
_WORDS: Final = {
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.CAUGHT: "Caught error",
    Status.RUNNING: "Running",
    Status.ABORTED: "Aborted",
}
_UNREACHED: Final = "Not reached"


@dataclass(frozen=True)
class _Done:
    """What an execution did, by the names of states."""

    statuses: Mapping[str, Status]
    visits: Mapping[str, list[Visit]]
    taken: frozenset[tuple[str, str, bool]]


def draw_machine(machine: Machine, title: str) -> str:
    """A state machine as SVG."""
    return _draw(machine, title, machine.comment, None)


def draw_execution(machine: Machine, title: str, execution: Execution, history: History) -> str:
    """A state machine with what an execution did on it, as SVG.

    Args:
        machine: What was executed.
        title: What it is called.
        execution: The execution.
        history: What it did.
    """
    visits: dict[str, list[Visit]] = {}
    for visit in history.visits:
        visits.setdefault(visit.name, []).append(visit)
    done = _Done(history.find_statuses(), visits, frozenset(_list_taken(history)))
    return _draw(machine, title, _summarize(execution), done)


def _summarize(execution: Execution) -> str:
    words = execution.status.lower().replace("_", " ")
    took = f" after {_show_seconds(execution.seconds)}" if execution.seconds is not None else ""
    return f"{execution.name} {words}{took}{f': {execution.error}' if execution.error else ''}"


def _list_taken(history: History) -> Iterator[tuple[str, str, bool]]:
    """The ways that an execution has gone: the boxes that they connect, and whether an error took them."""
    for visit in history.visits:
        if visit.after:
            yield key_of(visit.after.name), key_of(visit.name), visit.after.status is Status.CAUGHT
    outermost = [visit for visit in history.visits if visit.parent is None]
    if outermost:
        last = outermost[-1]
        yield START, key_of(outermost[0].name), False
        if last.status is Status.SUCCEEDED or last.kind == "Fail":
            yield key_of(last.name), END, False


def _draw(machine: Machine, title: str, subtitle: str, done: _Done | None) -> str:
    scene = arrange(machine, has_statuses=done is not None)
    size = scene.layout.size
    title, subtitle = shorten(title, _LONGEST_HEAD), shorten(subtitle, _LONGEST_HEAD)
    legend = (len(_WORDS) + 1) * _LEGEND_STEP if done else 0
    heads = max(measure(title) * _HEAD_LETTER * 1.5, measure(subtitle) * _HEAD_LETTER, legend)
    width = round(max(size.width, heads) + 2 * _MARGIN)
    height = round(size.height + _HEADER + _MARGIN + (_LEGEND if done else 0))
    elements = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" class="hr-graph">',
        f"<title>{_escape(title)}</title>",
        f"<desc>{_escape(_describe(machine, subtitle, done))}</desc>",
        f"<style>{render_style()}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        _text("head", _MARGIN, 32, title),
        _text("quiet", _MARGIN, 50, subtitle),
        *_draw_scene(scene, (width - size.width) / 2, _HEADER, done),
        *(_draw_legend(height - _LEGEND) if done else ()),
        "</svg>\n",
    ]
    return "\n".join(elements)


def _describe(machine: Machine, subtitle: str, done: _Done | None) -> str:
    """The drawing in words, for those who cannot see it."""
    states = [state.name for state in machine.walk()]
    if done is None:
        return f"{subtitle}. A state machine of {len(states)} states, of which {machine.start} is the first."
    by_status: dict[str, list[str]] = {}
    for name in states:
        status = done.statuses.get(name)
        by_status.setdefault(_WORDS[status] if status else _UNREACHED, []).append(name)
    return " ".join([f"{subtitle}.", *(f"{status}: {', '.join(names)}." for status, names in by_status.items())])


def _draw_scene(scene: Scene, left: float, top: float, done: _Done | None) -> Iterator[str]:
    yield f'<g transform="translate({_n(left)} {_n(top)})">'
    ways = [(way, route, _is_taken(way, done)) for way, route in scene.ways]
    # What was taken lies above what was not.
    for way, route, is_taken in sorted(ways, key=lambda drawn: drawn[2]):
        yield from _draw_way(way, route, scene, is_taken)
    for key, (x, y) in scene.layout.places.items():
        if key in scene.rooms:
            yield from _draw_room(scene.rooms[key], x, y, done)
        else:
            yield _rectangle("pill", x - PILL.width / 2, y, PILL, PILL.height / 2)
            yield _text("name", x, y + 19, key.title())
    for way, route, _ in ways:
        if route.label:
            yield from _draw_label(way, *route.label)
    yield "</g>"


def _is_taken(way: Way, done: _Done | None) -> bool:
    return done is not None and (way.source, way.target, way.is_catch) in done.taken


def _draw_way(way: Way, route: Route, scene: Scene, is_taken: bool) -> Iterator[str]:
    classes = f"{' catch' if way.is_catch else ''}{' taken' if is_taken else ''}"
    if not route.columns:
        x, y = scene.layout.places[way.source]
        size = scene.rooms[way.source].size
        yield from _draw_loop(classes, x + size.width / 2, y + size.height / 2)
        return
    first, *between, last = route.columns
    if route.leads_up:
        x, y, away = first.x, first.top, _ARROW
        first = Column(x, y + away, first.bottom)
    else:
        x, y, away = last.x, last.bottom, -_ARROW
        last = Column(x, last.top, max(last.top, y + away))
    yield f'<path class="way{classes}" d="{_trace([first, *between, last])}"/>'
    yield f'<path class="tip{classes}" d="M{_n(x)} {_n(y)}l-4 {away}h8z"/>'


def _trace(columns: list[Column]) -> str:
    """A path that goes straight down in each column, and bends between them."""
    path = f"M{_n(columns[0].x)} {_n(columns[0].top)}V{_n(columns[0].bottom)}"
    for one, other in pairwise(columns):
        if one.x != other.x:
            middle = _n((one.bottom + other.top) / 2)
            path += f"C{_n(one.x)} {middle} {_n(other.x)} {middle} {_n(other.x)} {_n(other.top)}"
        path += f"V{_n(other.bottom)}"
    return path


def _draw_loop(classes: str, x: float, y: float) -> Iterator[str]:
    """A line from a box to itself, which leaves it and comes back at its right edge."""
    far = _n(x + LOOP)
    yield (
        f'<path class="way{classes}" d="M{_n(x)} {_n(y - 10)}C{far} {_n(y - 14)} {far} {_n(y + 14)} '
        f'{_n(x + _ARROW)} {_n(y + 10)}"/>'
    )
    yield f'<path class="tip{classes}" d="M{_n(x)} {_n(y + 10)}l{_ARROW} -4v8z"/>'


def _draw_label(way: Way, x: float, y: float) -> Iterator[str]:
    width = measure(way.label) * _HEAD_LETTER
    yield f"<g><title>{_escape('; '.join(way.labels))}</title>"
    yield _rectangle("ground", x - width / 2, y - 8, Size(width, 16), 3)
    yield f"{_text('label', x, y + 4, way.label)}</g>"


def _draw_room(room: Room, x: float, y: float, done: _Done | None) -> Iterator[str]:
    """A state's box; x is its middle and y its upper edge."""
    name, left = room.state.name, x - room.size.width / 2
    status = done.statuses.get(name) if done else None
    style = (status or "unreached") if done else "plain"
    yield f'<g class="{style}"><title>{_escape(f"{name} ({room.state.work})")}</title>'
    yield _rectangle("box", left, y, room.size, 7)
    lines = [*(("name", line) for line in room.name), ("work", room.work)]
    if done:
        lines.append(("status", _explain_status(status, done.visits.get(name, []))))
    for number, (kind, line) in enumerate(lines, start=1):
        yield _text(kind, x, y + number * LINE + 4, line)
    yield "</g>"
    for across, down, scene in room.machines:
        size = scene.layout.size
        yield _rectangle("inside", left + across - 12, y + down - 12, Size(size.width + 24, size.height + 24), 5)
        yield from _draw_scene(scene, left + across, y + down, done)


def _explain_status(status: Status | None, visits: list[Visit]) -> str:
    if status is None:
        return _UNREACHED.lower()
    words = [_WORDS[status].lower()]
    if times := [visit.seconds for visit in visits if visit.seconds is not None]:
        words.append(_show_seconds(sum(times)))
    if len(visits) > 1:
        words.append(f"{len(visits)} visits")
    if (tries := sum(visit.tries for visit in visits)) > len(visits):
        words.append(f"{tries} tries")
    return ", ".join(words)


def _show_seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _draw_legend(y: float) -> Iterator[str]:
    for number, word in enumerate([*_WORDS, "unreached"]):
        x = _MARGIN + number * _LEGEND_STEP
        yield f'<g class="{word}">{_rectangle("box", x, y + 8, Size(14, 14), 3)}</g>'
        yield _text("quiet", x + 20, y + 19, _WORDS[word] if isinstance(word, Status) else _UNREACHED)


def _rectangle(style: str, x: float, y: float, size: Size, radius: float) -> str:
    return (
        f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" width="{_n(size.width)}" height="{_n(size.height)}" '
        f'rx="{_n(radius)}"/>'
    )


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{_escape(text)}</text>'


def _escape(text: str) -> str:
    return escape(as_shown(text), quote=False)


def _n(number: float) -> str:
    """A number as short as it can be."""
    return f"{number:.1f}".removesuffix(".0")
