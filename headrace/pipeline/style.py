"""The colours of drawings, for light pages and for dark ones: those of the console of Step Functions."""

from collections.abc import Mapping
from typing import Final

_FONT: Final = 'text{font-family:"Helvetica Neue",Arial,sans-serif;font-size:12px}'
_SHAPES: Final = (
    ".head{font-size:17px;font-weight:700}",
    ".name{font-size:13px;font-weight:700}",
    ".label{font-size:11.5px}",
    ".name,.work,.status,.label{text-anchor:middle}",
    ".box,.pill{stroke-width:1.5}",
    ".way{fill:none;stroke-width:1.4}",
    ".taken{stroke-width:2}",
    ".inside,.unreached .box{stroke-dasharray:4 3}",
)
_LIGHT: Final = {
    "ink": "#16191f",
    "quiet": "#5a6472",
    "paper": "#fff",
    "box": "#fff",
    "border": "#687484",
    "faint": "#aab4c0",
    "way": "#8a95a3",
    "catch": "#d99a4e",
    "taken_catch": "#c25e00",
    "succeeded": "#e4f5e4 #1d8102",
    "failed": "#fde5e1 #d13212",
    "caught": "#ffecd4 #d9730d",
    "running": "#dcecff #0972d3",
    "aborted": "#e3e6ea #687484",
}
_DARK: Final = {
    "ink": "#e9edf2",
    "quiet": "#a7b1be",
    "paper": "#12161c",
    "box": "#1c222b",
    "border": "#8a95a3",
    "faint": "#5a6472",
    "way": "#6d7886",
    "catch": "#a8742f",
    "taken_catch": "#ff9f40",
    "succeeded": "#12351a #43b649",
    "failed": "#4a1610 #ff6b55",
    "caught": "#452a0a #ff9f40",
    "running": "#0d2c4f #4da3ff",
    "aborted": "#333a44 #a7b1be",
}
_STATUSES: Final = ("succeeded", "failed", "caught", "running", "aborted")


def render_style() -> str:
    """The style sheet; it says nothing about a page that the drawing is part of."""
    dark = "".join(_scope(_paint(_DARK)))
    return "".join(_scope([_FONT, *_SHAPES, *_paint(_LIGHT)])) + f"@media (prefers-color-scheme:dark){{{dark}}}"


def _paint(colours: Mapping[str, str]) -> list[str]:
    rules = [
        "text{{fill:{ink}}}",
        ".work,.quiet,.unreached text{{fill:{quiet}}}",
        ".paper,.ground,.inside{{fill:{paper}}}",
        ".box,.pill{{fill:{box};stroke:{border}}}",
        ".inside,.unreached .box{{stroke:{faint}}}",
        ".way{{stroke:{way}}}",
        ".way.catch{{stroke:{catch}}}",
        ".way.taken{{stroke:{ink}}}",
        ".way.taken.catch{{stroke:{taken_catch}}}",
        ".tip{{fill:{way}}}",
        ".tip.catch{{fill:{catch}}}",
        ".tip.taken{{fill:{ink}}}",
        ".tip.taken.catch{{fill:{taken_catch}}}",
    ]
    painted = [rule.format(**colours) for rule in rules]
    for status in _STATUSES:
        ground, border = colours[status].split()
        painted.append(f".{status}>.box{{fill:{ground};stroke:{border}}}")
    return painted


def _scope(rules: list[str]) -> list[str]:
    """Rules for what is in a drawing only."""
    scoped = []
    for rule in rules:
        selectors, _, declarations = rule.partition("{")
        scoped.append(",".join(f".hr-graph {name}" for name in selectors.split(",")) + "{" + declarations)
    return scoped
