"""The report of a check: as JSON for programs, and as a page with a chart of each column; standard library only."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

from headrace.drift.comparison import Change, decide
from headrace.drift.contract import Verdict
from headrace.drift.truth import Quality
from headrace.errors import as_shown
from headrace.wording import counted

_BAR_WIDTH: Final = 320
_ROW_HEIGHT: Final = 22
_LABEL_WIDTH: Final = 150
_LONGEST_LABEL: Final = 22
_COLOURS: Final = {Verdict.STEADY: "#2b7a3d", Verdict.DRIFTED: "#b3261e", Verdict.TOO_FEW: "#6b6b6b"}
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1b1f; }
h2 { margin: 2rem 0 .25rem; font-size: 1.1rem; } p { margin: .25rem 0; } svg text { font: 12px system-ui, sans-serif; }
.verdict { font-weight: 600; } .old { fill: #9aa7b5; } .new { fill: #2f6fb2; } li { margin: .15rem 0; }
"""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a check has found.

    Args:
        title: What was checked, in a few words.
        threshold: Above which index a column has drifted.
        rows: How many new rows there were.
        baseline_rows: How many the training data had.
        changes: Each column.
        quality: How good answers were; None where nothing is known of the truth.
        unread: How many lines could not be read, by why.
    """

    title: str
    threshold: float
    rows: int
    baseline_rows: int
    changes: Sequence[Change]
    quality: Quality | None
    unread: Mapping[str, int]

    @property
    def verdict(self) -> Verdict:
        """What is said of the whole."""
        return decide(self.changes)

    @property
    def drifted(self) -> list[str]:
        """The names of the columns that have drifted, the farthest first."""
        found = sorted((c for c in self.changes if c.verdict is Verdict.DRIFTED), key=lambda change: -change.index)
        return [change.column.name for change in found]

    @property
    def index(self) -> float | None:
        """The largest index of a column of which something can be said; None where that is none."""
        return max((c.index for c in self.changes if c.verdict is not Verdict.TOO_FEW), default=None)

    def summarize(self) -> str:
        """What was found, in a sentence."""
        among = f"among {self.rows} rows, against {self.baseline_rows} of training"
        match self.verdict:
            case Verdict.DRIFTED:
                return f"drifted: {', '.join(map(as_shown, self.drifted))} ({among})"
            case Verdict.TOO_FEW:
                return self._describe_too_few()
        return f"steady: no column has drifted ({among})"

    def _describe_too_few(self) -> str:
        needed = [change.needed for change in self.changes if change.needed is not None]
        if self.changes and not needed:
            return f"the training data are too few to say anything: {self.baseline_rows} rows"
        return f"too few rows to say anything: {self.rows}, and {min(needed, default=0)} are needed"

    def render(self) -> dict[str, Any]:
        """It as JSON has it."""
        return {
            "verdict": self.verdict,
            "drifted": self.drifted,
            "rows": self.rows,
            "baselineRows": self.baseline_rows,
            "threshold": self.threshold,
            "columns": [change.render() for change in self.changes],
            "unread": dict(self.unread),
            **({"quality": asdict(self.quality)} if self.quality else {}),
        }


def render_page(check: Check) -> str:
    """The page: columns in the order of their index, each with its shares then and now."""
    changes = sorted(check.changes, key=lambda change: -change.index)
    notes = [
        f"{counted(count, 'line')} that cannot be read: {escape(as_shown(why))}" for why, count in check.unread.items()
    ]
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(check.title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(check.title)}</h1>",
            f'<p class="verdict" style="color:{_COLOURS[check.verdict]}">{escape(check.summarize())}</p>',
            f"<p>A column has drifted when its population stability index is above {check.threshold:g}.</p>",
            *(f"<p>{line}</p>" for line in (*_describe_quality(check.quality), *notes)),
            '<p><svg width="12" height="12"><rect class="old" width="12" height="12"/></svg> training data '
            '<svg width="12" height="12"><rect class="new" width="12" height="12"/></svg> requests</p>',
            *(_render_change(change) for change in changes),
            "</body></html>\n",
        )
    )


def _describe_quality(quality: Quality | None) -> list[str]:
    if quality is None:
        return []
    if quality.value is None:
        return [f"The truth is known of {quality.pairs} rows, too few or too far away to judge the answers by."]
    return [f"Answers against the truth: {quality.measure} {quality.value:.4g}, of {quality.pairs} rows."]


def _render_change(change: Change) -> str:
    size = sum(change.counts.values())
    said = f"{change.verdict}: index {change.index:.3f}, {size} cells"
    if change.verdict is Verdict.TOO_FEW:
        said = f"{change.verdict}: {_describe_need(change, size)}"
    return (
        f"<h2>{escape(as_shown(change.column.name))}</h2>"
        f'<p class="verdict" style="color:{_COLOURS[change.verdict]}">{said}</p>{_draw(change)}'
    )


def _describe_need(change: Change, size: int) -> str:
    if change.needed is None:
        return f"the training data have only {change.column.size} cells"
    return f"{size} cells, {change.needed} are needed"


def _draw(change: Change) -> str:
    """A pair of bars for each bin: its share in the training data, and now."""
    old, new = (_find_shares(side) for side in (change.column.counts, change.counts))
    labels = [label for label in dict.fromkeys((*old, *new)) if old.get(label) or new.get(label)]
    captions = change.column.captions
    widest = max((*old.values(), *new.values()), default=0) or 1
    rows = [
        _draw_bin(
            place, captions.get(label, label), {"old": old.get(label, 0) / widest, "new": new.get(label, 0) / widest}
        )
        for place, label in enumerate(labels)
    ]
    described = f"{as_shown(change.column.name)}: shares in the training data and in requests"
    return (
        f'<svg role="img" aria-label="{escape(described, quote=True)}" width="{_LABEL_WIDTH + _BAR_WIDTH + 10}" '
        f'height="{len(labels) * _ROW_HEIGHT + 4}">{"".join(rows)}</svg>'
    )


def _find_shares(counts: Mapping[str, int]) -> dict[str, float]:
    size = max(sum(counts.values()), 1)
    return {label: count / size for label, count in counts.items()}


def _draw_bin(place: int, label: str, widths: Mapping[str, float]) -> str:
    top, text = place * _ROW_HEIGHT, as_shown(label)
    shown = text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
    bars = (
        f'<rect class="{name}" x="{_LABEL_WIDTH}" y="{top + 2 + 9 * line}" height="8" width="{part * _BAR_WIDTH:.1f}"/>'
        for line, (name, part) in enumerate(widths.items())
    )
    return f'<text x="{_LABEL_WIDTH - 8}" y="{top + 14}" text-anchor="end">{escape(shown)}</text>{"".join(bars)}'
