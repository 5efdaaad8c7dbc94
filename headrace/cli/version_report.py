"""What commands print of versions of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from headrace.cli.tables import render_table
from headrace.errors import as_shown
from headrace.pipeline.comparison import ChannelChange, ClassPair, Comparison, LabelChange, ListChange
from headrace.pipeline.versions import Version
from headrace.workloads.evaluation import ClassResult

_MOST_METRICS: Final = 5
_MOST_FILES: Final = 10
_MOST_CLASSES: Final = 12


def render_versions(versions: Sequence[Version]) -> str:
    """Versions as a table."""
    names = sorted({name for version in versions for name in version.metrics})[:_MOST_METRICS]
    header = ("version", "status", "made", "served since", "serves at", *map(as_shown, names))
    rows = [
        [
            str(version.number),
            as_shown(version.status),
            f"{version.created:%Y-%m-%d %H:%M:%S}",
            as_shown(version.served[:19].replace("T", " ")),
            as_shown(", ".join(version.endpoints)),
            *(_show_number(version.metrics.get(name)) for name in names),
        ]
        for version in versions
    ]
    none = [["none", *[""] * (len(header) - 1)]]
    return render_table(header, rows or none, numbers={0, *range(5, len(header))} if rows else frozenset())


def describe_version(version: Version) -> dict[str, Any]:
    """A version for programs."""
    return {
        "modelPackageArn": version.arn,
        "version": version.number,
        "status": version.status,
        "reason": version.reason,
        "created": version.created.isoformat(),
        "image": version.image,
        "imageDigest": version.digest,
        "endpoints": list(version.endpoints),
        "metrics": version.metrics,
        "hyperparameters": version.hyperparameters,
        "facts": dict(version.facts),
    }


def describe_comparison(comparison: Comparison) -> dict[str, Any]:
    """A comparison for programs."""
    versions = {side: describe_version(getattr(comparison, side)) for side in ("before", "after")}
    return {**asdict(comparison), **versions}


def render_comparison(comparison: Comparison) -> str:
    """A comparison, a table for each part of it that has something to show."""
    sides = (f"version {comparison.before.number}", f"version {comparison.after.number}")
    return "\n\n".join(filter(None, _render_parts(comparison, sides)))


def _render_parts(comparison: Comparison, sides: tuple[str, str]) -> Iterator[str]:
    yield _render_metrics(comparison, sides)
    yield _render_pairs("made with", comparison.facts, sides)
    yield _render_pairs("hyperparameter", comparison.hyperparameters, sides) or "the hyperparameters are the same"
    yield _render_channels(comparison.channels)
    yield from (_render_list(name, change) for name, change in comparison.lists.items())
    yield _render_classes(comparison.classes, sides)
    yield "\n".join(as_shown(note) for note in comparison.notes)


def _render_metrics(comparison: Comparison, sides: tuple[str, str]) -> str:
    words = {None: "", "equal": "equal", "before": sides[0], "after": sides[1]}
    rows = [
        [as_shown(name), _show_number(pair.before), _show_number(pair.after), words[pair.better]]
        for name, pair in comparison.metrics.items()
    ]
    return render_table(["metric", *sides, "better"], rows or [["none", "", "", ""]], numbers={1, 2})


def _render_pairs(title: str, pairs: Mapping[str, Any], sides: tuple[str, str]) -> str:
    rows = [[as_shown(name), _show(pair.before), _show(pair.after)] for name, pair in pairs.items()]
    return render_table([title, *sides], rows) if rows else ""


def _render_channels(channels: Mapping[str, ChannelChange] | None) -> str:
    if channels is None:
        return ""
    if not channels:
        return "the data are the same"
    rows = [
        [as_shown(name), str(len(change.added)), str(len(change.gone)), str(len(change.changed)), str(change.same)]
        for name, change in channels.items()
    ]
    table = render_table(["channel", "added", "gone", "changed", "same"], rows, numbers={1, 2, 3, 4})
    return "\n".join([table, *(line for name, change in channels.items() for line in _list_files(name, change))])


def _list_files(channel: str, change: ChannelChange) -> Iterator[str]:
    for sign, keys in (("+", change.added), ("-", change.gone), ("~", change.changed)):
        yield from (f"{sign} {as_shown(channel)}/{as_shown(key)}" for key in keys[:_MOST_FILES])
        if len(keys) > _MOST_FILES:
            yield f"{sign} and {len(keys) - _MOST_FILES} more in {as_shown(channel)}"


def _render_list(name: str, change: ListChange) -> str:
    if change.problem:
        return f"{as_shown(name)}: {as_shown(change.problem)}"
    rows = [
        [row.change, _show(row.label_before), _show(row.label_after), str(row.rows)] for row in _choose(change.rows)
    ]
    return render_table([as_shown(name), "class before", "class after", "rows"], rows, numbers={3})


def _choose(rows: Sequence[LabelChange]) -> Sequence[LabelChange]:
    return sorted(rows, key=lambda row: -row.rows)[:_MOST_CLASSES]


def _render_classes(classes: Mapping[str, ClassPair], sides: tuple[str, str]) -> str:
    """How each class is recognized; of many, those where most has changed."""
    shown = sorted(classes.items(), key=lambda named: -abs(_find_change(named[1])))[:_MOST_CLASSES]
    rows = [
        [as_shown(label), _show_share(pair.before), _show_share(pair.after), f"{_find_change(pair):+.1%}"]
        for label, pair in shown
    ]
    return render_table(["recognized", *sides, "change"], rows, numbers={1, 2, 3}) if rows else ""


def _find_change(pair: ClassPair) -> float:
    before, after = (found.recognized / found.examples if found and found.examples else 0.0 for found in _list(pair))
    return after - before


def _list(pair: ClassPair) -> tuple[ClassResult | None, ClassResult | None]:
    return pair.before, pair.after


def _show_share(found: ClassResult | None) -> str:
    """How many examples were recognized, and for what most of the others were taken."""
    if found is None:
        return "-"
    confusion = next(iter(found.taken_for.items()), None)
    mistake = f"; {as_shown(confusion[0])} {confusion[1]}" if confusion else ""
    return f"{found.recognized} of {found.examples}{mistake}"


def _show_number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3f}"


def _show(value: str | None) -> str:
    return "-" if value is None else as_shown(value)
