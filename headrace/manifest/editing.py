"""Manifests made of other manifests: split, merged, filtered. Lines are copied as they are."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final, Self

from headrace.files import whole_files
from headrace.inputs import rereadable
from headrace.lst.divisions import DEFAULT_VALIDATION_RATIO, TEST, TRAIN, VALIDATION, Division, find_mistake
from headrace.lst.hashing import hash_path, limit_hash, salt
from headrace.manifest.labels import Label, LabelKind, read_label
from headrace.manifest.records import (
    ManifestError,
    Record,
    find_label,
    find_source,
    freeze,
    has_metadata,
    read_manifest,
    read_type,
    write_lines,
)

SHOWN_LABELS: Final = 10


@dataclass(frozen=True)
class Rule:
    """By what a manifest is divided: see `split_manifest`."""

    pattern: re.Pattern[str] | None
    seed: int
    attribute: str | None

    def place(self, record: Record) -> int:
        """The hash of what a line is about, or of the group that is in."""
        return hash_path(f"{salt(self.seed)}{self.find_group(record) or record.source}")

    def find_group(self, record: Record) -> str | None:
        """What the pattern finds in the source."""
        found = self.pattern.search(record.source) if self.pattern else None
        return found[min(found.re.groups, 1)] if found else None


def split_manifest(
    path: Path,
    train: Path,
    validation: Path,
    *,
    test: Path | None = None,
    ratio: float = DEFAULT_VALIDATION_RATIO,
    test_ratio: float | None = None,
    seed: int = 0,
    group_by: str | None = None,
    stratify_by: str | None = None,
) -> Division:
    """Divide a manifest by a hash of each line's source; each part has something of every label.

    Args:
        path: The manifest.
        train: Where the training lines go.
        validation: Where the lines that are held out go.
        test: Where the lines that are held out for a last test go, where some are.
        ratio: The part that is held out for validation.
        test_ratio: The part that is held out for the test; without it, as much as for validation.
        seed: Another seed divides another way.
        group_by: A regular expression: lines for whose sources its first group, or all of it, finds the same text
            stay together.
        stratify_by: The label attribute of which each value is to be held out in the ratio, as nearly as can be.

    Raises:
        ManifestError: no line has the label or matches the pattern, or nothing could be held out.
    """
    ratios = ratio, (test_ratio or ratio) if test else 0
    if mistake := find_mistake(*ratios):
        raise ManifestError(mistake)
    rule = Rule(compile_pattern(group_by) if group_by else None, seed, stratify_by)
    with rereadable(path):
        survey = _Survey.of(path, rule)
        parts = choose_units(survey.units, ratios, stratified=bool(stratify_by))
        _refuse_nothing_held_out(path, survey, parts, rule)
        counts = Counter[int]()
        outputs = (train, validation, *([test] if test else ()))
        with whole_files(*outputs) as targets, ExitStack() as opened:
            files = [opened.enter_context(target.open("w", encoding="utf-8", newline="\n")) for target in targets]
            for record in read_manifest(path):
                part = parts.get(rule.place(record), TRAIN)
                counts[part] += 1
                files[part].write(f"{record.text}\n")
    return Division(
        train=counts[TRAIN],
        validation=counts[VALIDATION],
        test=counts[TEST],
        ungrouped=survey.ungrouped,
        unlabelled=survey.unlabelled,
    )


@dataclass(kw_only=True)
class _Survey:
    """What a first look at a manifest finds: the label and the number of lines of each unit, by its hash."""

    units: dict[int, tuple[str, int]] = field(default_factory=dict)
    lines: int = 0
    ungrouped: int = 0
    unlabelled: int = 0

    @classmethod
    def of(cls, path: Path, rule: Rule) -> Self:
        survey = cls()
        for record in read_manifest(path):
            survey._add(path, record, rule)
        if rule.pattern and survey.lines and survey.ungrouped == survey.lines:
            raise ManifestError(f"{path}: {rule.pattern.pattern!r} matches no source, so there are no groups")
        if rule.attribute and survey.lines and survey.unlabelled == survey.lines:
            raise ManifestError(f"{path}: no line has the label {rule.attribute!r}; name an existing one")
        return survey

    def _add(self, path: Path, record: Record, rule: Rule) -> None:
        place = rule.place(record)
        label, size = self.units.get(place, (_name_stratum(path, record, rule.attribute), 0))
        self.units[place] = (label, size + 1)
        self.lines += 1
        self.ungrouped += bool(rule.pattern) and not rule.find_group(record)
        self.unlabelled += rule.attribute is not None and record.data.get(rule.attribute) is None


def _refuse_nothing_held_out(path: Path, survey: _Survey, parts: Mapping[int, int], rule: Rule) -> None:
    if parts or not survey.units:
        return
    if rule.attribute and len(survey.units) > 1:
        why = f"each value of {rule.attribute} stands on one line or in one group only; stratify by another label"
    elif rule.pattern and survey.lines > 1:
        why = f"{rule.pattern.pattern!r} puts all lines into one group; group by something finer"
    else:
        why = "a manifest of one line cannot be divided"
    raise ManifestError(f"{path}: nothing could be held out: {why}")


def choose_units(
    units: Mapping[int, tuple[str, int]], ratios: tuple[float, float], *, stratified: bool
) -> dict[int, int]:
    """The part of each unit that is held out.

    Lowest hash first, never all and, where a label has so many units, at least one for validation, then for the test.
    """
    chosen: dict[int, int] = {}
    ordered = sorted((label, place, size) for place, (label, size) in units.items())
    for _, group in groupby(ordered, key=lambda unit: unit[0]):
        members = list(group)
        total, upto = sum(size for *_, size in members), 0
        filled: set[int] = set()
        for _, place, size in members[:-1]:
            upto += size
            share = (upto - size / 2) / total if stratified else place / limit_hash(1)
            part = _choose_part(share, ratios, filled)
            if part != TRAIN:
                filled.add(part)
                chosen[place] = part
    return chosen


def _choose_part(share: float, ratios: tuple[float, float], filled: Container[int]) -> int:
    validation, test = ratios
    if share <= validation or VALIDATION not in filled:
        return VALIDATION
    return TEST if test and (share <= validation + test or TEST not in filled) else TRAIN


def _name_stratum(path: Path, record: Record, attribute: str | None) -> str:
    """The label of a line as text: a class, or the classes of all its boxes."""
    if attribute is None or record.data.get(attribute) is None:
        return ""
    return ",".join(sorted(set(require_classes(path, record, attribute).class_names)))


def require_classes(path: Path, record: Record, attribute: str) -> Label:
    """A label that names its classes.

    Raises:
        ManifestError: its classes stand in another file, or it is what the line is about.
    """
    label = read_label(record.data, attribute)
    if attribute == find_source(record.data):
        raise ManifestError(f"{path}: {attribute!r} is the source of each line, not a label; name a label")
    if label.kind is LabelKind.OTHER and label.value is not None:
        job = read_type(record.data, attribute) or "unknown kind"
        raise ManifestError(
            f"{path}, line {record.line}: {attribute} is a label of {job}, whose classes are not in the manifest"
        )
    return label


def merge_manifests(paths: Sequence[Path], output: Path) -> None:
    """Write the lines of several manifests one after the other; a line that is there already, once.

    Raises:
        ManifestError: two lines say different things of one source.
    """
    write_lines(output, _merge(paths))


def _merge(paths: Iterable[Path]) -> Iterator[str]:
    # Hashes and not lines, so that memory grows by a small part of what is read.
    seen: dict[int, tuple[int, Path, int]] = {}
    for path in paths:
        for record in read_manifest(path):
            source, content = hash(record.source), hash(freeze(record.data))
            if source not in seen:
                seen[source] = content, path, record.line
                yield record.text
                continue
            known, first, line = seen[source]
            if known != content:
                raise ManifestError(
                    f"{path}, line {record.line}: describes {record.source} otherwise than {first}, line {line}; "
                    "remove one of them"
                )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which lines to keep: those to which all of this applies.

    Args:
        attribute: The label attribute; without it, the first one.
        labels: At least one of these class names or numbers.
        source: A regular expression that is found in the source.
        least_confidence: No confidence below this.
        labelled: With a label that did not fail.
    """

    attribute: str | None = None
    labels: frozenset[str] = frozenset()
    source: str | None = None
    least_confidence: float | None = None
    labelled: bool = False

    def __post_init__(self) -> None:
        compile_pattern(self.source or "")
        if self.least_confidence is not None and not 0 <= self.least_confidence <= 1:
            raise ManifestError(f"the least confidence is {self.least_confidence}, expected a number from 0 to 1")

    def keeps(self, record: Record) -> bool:
        """Whether a line is kept."""
        label = read_label(record.data, self.attribute or find_label(record.data) or "")
        if self.source and not re.search(self.source, record.source):
            return False
        if self.labels and not self.labels & label.terms:
            return False
        if self.labelled and not label.is_given:
            return False
        return self.least_confidence is None or all(
            confidence >= self.least_confidence for confidence in label.confidences
        )


class _Demands:
    """What a selection names and no line has shown yet."""

    def __init__(self, path: Path, selection: Selection) -> None:
        self._path = path
        self._selection = selection
        self._labels = set(selection.labels)
        self._attribute = selection.attribute
        self._source = selection.source
        self._confidence = selection.least_confidence
        self._seen: dict[str, None] = {}
        self._lines = 0

    def note(self, record: Record) -> None:
        """Look at one more line."""
        self._lines += 1
        if self._attribute and (self._attribute in record.data or has_metadata(record.data, self._attribute)):
            self._attribute = None
        if self._source and re.search(self._source, record.source):
            self._source = None
        name = self._selection.attribute or find_label(record.data)
        if name and self._selection.labels:
            label = require_classes(self._path, record, name)
            self._labels -= label.terms
            self._seen.update(dict.fromkeys(label.class_names[: SHOWN_LABELS - len(self._seen)]))
        if name and self._confidence is not None and read_label(record.data, name).confidences:
            self._confidence = None

    def refuse_unmet(self) -> None:
        """Refuse what no line has, by its name."""
        if not self._lines:
            return
        if self._attribute:
            raise ManifestError(f"{self._path}: no line has the label {self._attribute!r}; name an existing one")
        if self._labels:
            there = f"there are {', '.join(self._seen)}" if self._seen else "there are no classes"
            raise ManifestError(f"{self._path}: no line has the class {', '.join(sorted(self._labels))}; {there}")
        if self._source:
            raise ManifestError(f"{self._path}: {self._source!r} matches no source")
        if self._confidence is not None:
            raise ManifestError(f"{self._path}: no line has a confidence, so --least-confidence cannot apply")


def filter_manifest(path: Path, output: Path, selection: Selection) -> int:
    """Write the lines that a selection keeps; how many there are.

    Raises:
        ManifestError: the selection names an attribute, a class or a source that no line has.
    """
    kept = 0
    demands = _Demands(path, selection)

    def select() -> Iterator[str]:
        nonlocal kept
        for record in read_manifest(path):
            demands.note(record)
            if selection.keeps(record):
                kept += 1
                yield record.text
        demands.refuse_unmet()

    write_lines(output, select())
    return kept


def compile_pattern(text: str) -> re.Pattern[str]:
    """A regular expression that somebody gave."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ManifestError(f"{text!r} is not a regular expression: {error}") from error
