"""What is different between two versions of a model: data, hyperparameters, metrics, confusion, programs."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from headrace.contract import NOT_RECORDED, VersionFact
from headrace.errors import HeadraceError
from headrace.pipeline.records import Record, Records
from headrace.pipeline.versions import Version
from headrace.provenance import InputFile
from headrace.workloads.evaluation import ClassResult

_LESS_IS_BETTER: Final = ("rmse", "mse", "mae", "error", "loss")
_MORE_IS_BETTER: Final = ("accuracy", "precision", "recall", "f1", "auc", "r2")
# What a model is compared with is not its own.
_NOT_ITS_OWN: Final = "baseline:"
_LIST_ENDINGS: Final = (".lst", ".lst.gz")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Something that both versions may have; None where one has not."""

    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class MetricPair:
    """A metric of both versions.

    Args:
        before: Of the one,
        after: of the other; None where it has none.
        better: `before`, `after` or `equal`; None where it is not known which is better.
    """

    before: float | None
    after: float | None
    better: str | None


@dataclass(frozen=True, kw_only=True)
class ChannelChange:
    """What is different between the files of a channel, by their keys.

    Args:
        added: Those that only the second version has read.
        gone: Those that only the first has.
        changed: Those whose content is another.
        same: How many are the same.
    """

    added: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    same: int


@dataclass(frozen=True, kw_only=True)
class LabelChange:
    """How many rows of a list went from one class to another; None where there was or is no row."""

    change: str
    label_before: str | None
    label_after: str | None
    rows: int


@dataclass(frozen=True, kw_only=True)
class ListChange:
    """What is different between two lists by class, or why that cannot be said."""

    rows: tuple[LabelChange, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ClassPair:
    """How each version recognizes a class; None where it has no such class."""

    before: ClassResult | None
    after: ClassResult | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that is different between two versions.

    Args:
        before: The one version.
        after: The other.
        facts: Commit, container images and fingerprint, where they differ or it is known that one was not recorded.
        hyperparameters: Those that differ.
        metrics: All metrics.
        channels: The channels that differ; None where it is not recorded what was read.
        lists: The lists that differ, by their place in the record.
        classes: How each class is recognized.
        notes: What cannot be said, and why.
    """

    before: Version
    after: Version
    facts: Mapping[str, Pair]
    hyperparameters: Mapping[str, Pair]
    metrics: Mapping[str, MetricPair]
    channels: Mapping[str, ChannelChange] | None = None
    lists: Mapping[str, ListChange] = field(default_factory=dict)
    classes: Mapping[str, ClassPair] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def compare_versions(before: Version, after: Version, records: Records) -> Comparison:
    """What is different between two versions.

    Raises:
        RecordError: If what is kept of one cannot be read.
    """
    kept = records.read(before), records.read(after)
    return Comparison(
        before=before,
        after=after,
        facts=dict(_compare_facts(before, after)),
        hyperparameters=_pair_different(before.hyperparameters, after.hyperparameters),
        metrics=_pair_metrics(before.metrics, after.metrics),
        channels=_compare_channels(*kept),
        lists=_compare_lists(*kept, records),
        classes=_pair_classes(kept[0].classes, kept[1].classes),
        notes=tuple(dict.fromkeys(record.missing for record in kept if record.missing)),
    )


def _compare_facts(before: Version, after: Version) -> Iterator[tuple[str, Pair]]:
    described = [
        {
            "commit": version.facts.get(VersionFact.COMMIT),
            "container images": version.facts.get(VersionFact.IMAGES),
            "serving container image": "@".join(filter(None, (version.image, version.digest))) or None,
            "data": version.facts.get(VersionFact.FINGERPRINT),
        }
        for version in (before, after)
    ]
    for name in described[0]:
        one, other = (facts[name] for facts in described)
        if one != other or one == NOT_RECORDED:
            yield name, Pair(before=one, after=other)


def _pair_different(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Pair]:
    names = sorted({*before, *after})
    pairs = {name: Pair(before=before.get(name), after=after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair.before != pair.after}


def _pair_metrics(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, MetricPair]:
    return {
        name: MetricPair(
            before=before.get(name), after=after.get(name), better=find_better(name, before.get(name), after.get(name))
        )
        for name in sorted({*before, *after})
    }


def find_better(name: str, before: float | None, after: float | None) -> str | None:
    """Which value of a metric is better, `before` or `after`, judged by its name; None where that does not say so."""
    if before is None or after is None or name.startswith(_NOT_ITS_OWN):
        return None
    is_less, is_more = (any(word in name.lower() for word in words) for words in (_LESS_IS_BETTER, _MORE_IS_BETTER))
    if is_less == is_more:
        return None
    if before == after:
        return "equal"
    return "after" if (after < before) == is_less else "before"


def _compare_channels(before: Record, after: Record) -> dict[str, ChannelChange] | None:
    if before.channels is None or after.channels is None:
        return None
    names = sorted({*before.channels, *after.channels})
    changes = {name: _compare_files(before.channels.get(name, []), after.channels.get(name, [])) for name in names}
    return {name: change for name, change in changes.items() if change.added or change.gone or change.changed}


def _compare_files(before: list[InputFile], after: list[InputFile]) -> ChannelChange:
    one, other = ({file.key: file.sha256 for file in files} for files in (before, after))
    both = one.keys() & other.keys()
    changed = sorted(key for key in both if one[key] != other[key])
    return ChannelChange(
        added=tuple(sorted(other.keys() - both)),
        gone=tuple(sorted(one.keys() - both)),
        changed=tuple(changed),
        same=len(both) - len(changed),
    )


def _compare_lists(before: Record, after: Record, records: Records) -> dict[str, ListChange]:
    names = sorted(before.lists.keys() & after.lists.keys())
    changes = {name: _compare_list(name, before, after, records) for name in names if _may_differ(name, before, after)}
    return {name: change for name, change in changes.items() if change.rows or change.problem}


def _may_differ(name: str, before: Record, after: Record) -> bool:
    """Whether two lists of one name may have other rows, by what is recorded of them as files."""
    return _find_digest(name, before) is None or _find_digest(name, before) != _find_digest(name, after)


def _find_digest(name: str, record: Record) -> str | None:
    channel, _, key = name.partition("/")
    return next((file.sha256 for file in (record.channels or {}).get(channel, []) if file.key == key), None)


def _compare_list(name: str, before: Record, after: Record, records: Records) -> ListChange:
    if not name.lower().endswith(_LIST_ENDINGS):
        return ListChange(problem="it is not a list (.lst), so its rows are not compared")
    with tempfile.TemporaryDirectory(prefix="headrace-compare-") as folder:
        files = Path(folder, "before.lst"), Path(folder, "after.lst")
        try:
            for record, file in zip((before, after), files, strict=True):
                records.download(record.lists[name], file)
            return ListChange(rows=_count_rows(*files))
        except HeadraceError as error:
            return ListChange(problem=str(error).replace(f"{folder}/", ""))


def _count_rows(before: Path, after: Path) -> tuple[LabelChange, ...]:
    from headrace.lst import diff_lists

    with diff_lists(before, after) as difference:
        return tuple(
            LabelChange(
                change=str(found.change),
                label_before=found.label_before,
                label_after=found.label_after,
                rows=found.rows,
            )
            for found in difference.count_by_class()
        )


def _pair_classes(before: tuple[ClassResult, ...], after: tuple[ClassResult, ...]) -> dict[str, ClassPair]:
    one, other = ({found.label: found for found in classes} for classes in (before, after))
    names = dict.fromkeys(chain(one, other))
    return {name: ClassPair(before=one.get(name), after=other.get(name)) for name in names}
