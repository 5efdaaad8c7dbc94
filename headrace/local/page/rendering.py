"""Templates become pages here: whatever is put into one is text, of one line, and not endless."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from headrace.cost.writing import show_quantity, show_usd
from headrace.errors import as_shown
from headrace.local.page.answers import SCRIPT, STYLE, Answer
from headrace.local.page.requests import Request
from headrace.wording import counted

_LONGEST: Final = 4_000
_LONGEST_TEXT: Final = 64_000
_UNITS: Final = ("B", "KiB", "MiB", "GiB")
_GOOD: Final = frozenset({"succeeded", "completed", "inservice", "approved", "serving", "transformed", "passed"})
_BAD: Final = frozenset({"failed", "outofservice", "rejected", "timed_out", "updaterollbackfailed"})
_BUSY: Final = frozenset({"running", "inprogress", "creating", "updating", "rollingback", "deleting", "stopping"})


@dataclass(frozen=True)
class View:
    """What a section has to show.

    Args:
        template: The template's name.
        title: What the view is called.
        values: What the template shows.
        refresh_seconds: After how long the browser looks again; None where nothing changes any more.
        status: The status of HTTP.
    """

    template: str
    title: str
    values: Mapping[str, Any]
    refresh_seconds: float | None = None
    status: int = 200


def show(value: object) -> object:
    """A value as a page shows it: on one line, without what would steer the reader's eye, and not endless."""
    if value is None:
        return ""
    if isinstance(value, Markup):
        return value
    text = str(value)
    return as_shown(text) if len(text) <= _LONGEST else f"{as_shown(text[:_LONGEST])}… ({len(text):,} characters)"


def show_text(value: str) -> Markup:
    """A text of several lines, each shown as it is."""
    cut = value[:_LONGEST_TEXT]
    lines = [escape(as_shown(line.replace("\t", "    "))) for line in cut.replace("\r\n", "\n").split("\n")]
    rest = f"\n… ({len(value):,} characters)" if len(value) > _LONGEST_TEXT else ""
    return Markup("\n").join([*lines]) + rest


def show_json(value: object) -> Markup:
    """What is JSON, or a value of it, one member on a line; anything else as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return show_text(str(value))
    try:
        return show_text(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    except (ValueError, RecursionError):
        return show_text(str(value))


def show_time(value: datetime | None) -> Markup:
    """A time in UTC, which the page's script turns into the reader's zone."""
    if value is None:
        return Markup("")
    there = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        there.isoformat(timespec="milliseconds"), f"{there:%Y-%m-%d %H:%M:%S} UTC"
    )


def show_seconds(value: float | timedelta | None) -> str:
    """A duration with its unit."""
    if value is None:
        return ""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def show_bytes(count: int | None) -> str:
    """A size with its unit."""
    if count is None:
        return ""
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def show_number(value: object) -> object:
    """A number with as many digits as people read."""
    return f"{value:,.6g}" if isinstance(value, float) else value


def show_count(number: int) -> str:
    """How many there are."""
    return f"{number:,}"


def find_mood(status: object) -> str:
    """Whether a status is good, bad, busy or neither: the colour it is shown in, beside its word."""
    word = str(status).lower()
    return next((mood for mood, words in (("good", _GOOD), ("bad", _BAD), ("busy", _BUSY)) if word in words), "still")


class Renderer:
    """Makes pages of views.

    Args:
        sections: The names and titles of the sections that the navigation leads to, in its order.
    """

    def __init__(self, sections: Sequence[tuple[str, str]]) -> None:
        self._sections = sections
        # Nothing is ever taken for markup by the name of its template.
        self._environment = Environment(
            loader=PackageLoader("headrace.local.page"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=show,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "text": show_text,
            "json": show_json,
            "time": show_time,
            "seconds": show_seconds,
            "bytes": show_bytes,
            "number": show_number,
            "count": show_count,
            "counted": counted,
            "quantity": show_quantity,
            "usd": show_usd,
            "mood": find_mood,
        }

    def render(self, view: View, request: Request) -> Answer:
        """A view as a page of a browser that was let in."""
        page = self._environment.get_template(view.template).render(
            **view.values,
            title=view.title,
            refresh_seconds=view.refresh_seconds,
            sections=self._sections,
            section=request.segments[0] if request.segments else "",
            link=request.link,
            form_key=request.session.form_key,
            script=SCRIPT,
            style=STYLE,
        )
        return Answer(page.encode(), status=view.status)

    def render_closed(self, message: str, status: int) -> Answer:
        """What a browser sees that was not let in."""
        template = self._environment.get_template("closed.html")
        return Answer(template.render(message=message, style=STYLE).encode(), status=status)
