"""Two versions of a model side by side, as the page shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.section import FindClient
from headrace.pipeline.comparison import ClassPair, Comparison, compare_versions
from headrace.pipeline.records import RecordError, Records
from headrace.pipeline.versions import NoSuchVersionError, Registry
from headrace.workloads.evaluation import ClassResult

_MOST_FILES: Final = 10
_MOST_ROWS: Final = 50
_MOST_CONFUSED: Final = 3
_SIGNS: Final = {"added": "+", "gone": "-", "changed": "~"}

Row = Mapping[str, Any]


def compare(clients: FindClient, group: str, before: str, after: str) -> View:
    """What is different between two versions.

    Args:
        clients: Finds the client of a service.
        group: Their group.
        before: The number of the one,
        after: and of the other.

    Raises:
        PageError: If there is no such version, or what was kept of one cannot be read.
    """
    registry = Registry(group, clients("sagemaker"))
    try:
        found = compare_versions(registry.find(before), registry.find(after), Records(clients("s3")))
    except NoSuchVersionError as error:
        raise PageError(404, str(error)) from None
    except RecordError as error:
        raise PageError(422, str(error)) from None
    return show_comparison(group, found)


def show_comparison(group: str, comparison: Comparison) -> View:
    """A comparison as a view; of long parts, what has changed most."""
    classes = sorted(comparison.classes.items(), key=lambda named: -abs(_find_change(named[1])))
    values = {
        "group": group,
        "before": comparison.before,
        "after": comparison.after,
        "metrics": comparison.metrics,
        "facts": comparison.facts,
        "hyperparameters": comparison.hyperparameters,
        "channels": None if comparison.channels is None else list(_list_channels(comparison)),
        "lists": {
            name: (change.problem, sorted(change.rows, key=lambda row: -row.rows)[:_MOST_ROWS])
            for name, change in comparison.lists.items()
        },
        "classes": [_describe_class(label, pair) for label, pair in classes[:_MOST_ROWS]],
        "other_classes": max(0, len(classes) - _MOST_ROWS),
        "notes": comparison.notes,
    }
    title = f"{group} versions {comparison.before.number} and {comparison.after.number}"
    return View("comparison.html", title, values)


def _list_channels(comparison: Comparison) -> Iterator[Row]:
    for name, change in (comparison.channels or {}).items():
        yield {
            "name": name,
            "change": change,
            "files": [line for word, sign in _SIGNS.items() for line in _list_files(sign, getattr(change, word))],
        }


def _list_files(sign: str, keys: Sequence[str]) -> Iterator[str]:
    yield from (f"{sign} {key}" for key in keys[:_MOST_FILES])
    if len(keys) > _MOST_FILES:
        yield f"{sign} and {len(keys) - _MOST_FILES} more"


def _describe_class(label: str, pair: ClassPair) -> Row:
    sides = [(_describe_share(result), _describe_confusion(result)) for result in (pair.before, pair.after)]
    return {"label": label, "sides": sides, "change": f"{_find_change(pair):+.1%}"}


def _find_change(pair: ClassPair) -> float:
    return _find_share(pair.after) - _find_share(pair.before)


def _find_share(result: ClassResult | None) -> float:
    return result.recognized / result.examples if result and result.examples else 0.0


def _describe_share(result: ClassResult | None) -> str:
    return f"{result.recognized} of {result.examples}" if result else ""


def _describe_confusion(result: ClassResult | None) -> str:
    """The classes that most of the others were taken for."""
    named = list(result.taken_for.items()) if result else []
    return ", ".join(f"{label} ({count})" for label, count in named[:_MOST_CONFUSED])
