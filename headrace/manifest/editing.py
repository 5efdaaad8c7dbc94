"""Manifests made of other manifests: split, merged, filtered. Lines are copied as they are."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from headrace.files import whole_files
from headrace.inputs import rereadable
from headrace.lst.hashing import hash_path, limit_hash, salt
from headrace.manifest.labels import is_number
from headrace.manifest.records import (
    FAILURE,
    ManifestError,
    Record,
    find_label,
    read_manifest,
    read_metadata,
    write_lines,
)

DEFAULT_VALIDATION_RATIO: Final = 0.2


def split_manifest(
    path: Path,
    train: Path,
    validation: Path,
    *,
    ratio: float = DEFAULT_VALIDATION_RATIO,
    seed: int = 0,
    group_by: str | None = None,
    stratify_by: str | None = None,
) -> None:
    """Divide a manifest by a hash of each line's source; either part has something of every label.

    Args:
        path: The manifest.
        train: Where the training lines go.
        validation: Where the lines that are held out go.
        ratio: The part that is held out.
        seed: Another seed divides another way.
        group_by: A regular expression: lines for whose sources its first group, or all of it, finds the same text
            stay together.
        stratify_by: The label attribute of which each value is to be held out in the ratio, as nearly as can be.
    """
    if not 0 < ratio < 1:
        raise ManifestError(f"the validation ratio is {ratio}, expected a number between 0 and 1")
    pattern = compile_pattern(group_by) if group_by else None
    with rereadable(path):
        held_out = choose_units(_measure_units(path, pattern, seed, stratify_by), ratio, stratified=bool(stratify_by))
        with whole_files(train, validation) as parts, ExitStack() as opened:
            files = [opened.enter_context(part.open("w", encoding="utf-8", newline="\n")) for part in parts]
            for record in read_manifest(path):
                files[hash_unit(record, pattern, seed) in held_out].write(f"{record.text}\n")


def _measure_units(
    path: Path, pattern: re.Pattern[str] | None, seed: int, attribute: str | None
) -> dict[int, tuple[str, int]]:
    """The label and the number of lines of each unit, by its hash."""
    units: dict[int, tuple[str, int]] = {}
    for record in read_manifest(path):
        place = hash_unit(record, pattern, seed)
        label, size = units.get(place, (name_stratum(record, attribute) if attribute else "", 0))
        units[place] = (label, size + 1)
    return units


def choose_units(units: Mapping[int, tuple[str, int]], ratio: float, *, stratified: bool) -> frozenset[int]:
    """The units to hold out, lowest hash first, never all and, of two or more, at least one for each label."""
    chosen = set()
    ordered = sorted((label, place, size) for place, (label, size) in units.items())
    for _, group in groupby(ordered, key=lambda unit: unit[0]):
        members = list(group)
        total, upto = sum(size for *_, size in members), 0
        for rank, (_, place, size) in enumerate(members[:-1]):
            upto += size
            if rank == 0 or (upto - size / 2 <= ratio * total if stratified else place < limit_hash(ratio)):
                chosen.add(place)
    return frozenset(chosen)


def hash_unit(record: Record, pattern: re.Pattern[str] | None, seed: int) -> int:
    """The hash of what a line is about, or of the group that is in."""
    found = pattern.search(record.source) if pattern else None
    unit = (found[min(found.re.groups, 1)] if found else None) or record.source
    return hash_path(f"{salt(seed)}{unit}")


def name_stratum(record: Record, attribute: str) -> str:
    """The label of a line as text: a class, or the classes of all its boxes."""
    if attribute not in record.data:
        return ""
    return ",".join(sorted(set(list_labels(record.data, attribute))))


def list_labels(data: Mapping[str, Any], attribute: str) -> list[str]:
    """The names of a label's classes, one for each box where it has boxes; numbers where metadata has no names."""
    value = data.get(attribute)
    metadata = read_metadata(data, attribute)
    if isinstance(value, dict):
        names = metadata.get("class-map", {})
        boxes = [box for box in value.get("annotations") or () if isinstance(box, dict)]
        return [str(names.get(str(box.get("class_id")), box.get("class_id"))) for box in boxes]
    if isinstance(value, list):
        return [str(label) for label in value]
    return [] if value is None else [str(metadata.get("class-name", value))]


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
            source, content = hash(record.source), hash(_freeze(record.data))
            known, first, line = seen.setdefault(source, (content, path, record.line))
            if (first, line) == (path, record.line):
                yield record.text
            elif known != content:
                raise ManifestError(
                    f"{path}, line {record.line}: says something else of {record.source} than {first}, line {line}; "
                    "remove one of them"
                )


def _freeze(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset((name, _freeze(item)) for name, item in value.items())
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


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

    def keeps(self, record: Record) -> bool:
        """Whether a line is kept."""
        attribute = self.attribute or find_label(record.data) or ""
        if self.source and not re.search(self.source, record.source):
            return False
        if self.labels and not self.labels & set(list_labels(record.data, attribute)):
            return False
        if self.labelled and not is_labelled(record.data, attribute):
            return False
        return self.least_confidence is None or all(
            confidence >= self.least_confidence for confidence in list_confidences(record.data, attribute)
        )


def filter_manifest(path: Path, output: Path, selection: Selection) -> int:
    """Write the lines that a selection keeps; how many there are."""
    kept = 0

    def select() -> Iterator[str]:
        nonlocal kept
        for record in read_manifest(path):
            if selection.keeps(record):
                kept += 1
                yield record.text

    write_lines(output, select())
    return kept


def is_labelled(data: Mapping[str, Any], attribute: str) -> bool:
    """Whether there is a label and its annotation did not fail."""
    return data.get(attribute) is not None and FAILURE not in read_metadata(data, attribute)


def list_confidences(data: Mapping[str, Any], attribute: str) -> list[float]:
    """The confidence of a label, or of each of its boxes, where metadata tells it."""
    metadata = read_metadata(data, attribute)
    objects = metadata.get("objects")
    holders = [metadata, *(objects if isinstance(objects, list) else ())]
    found = [holder.get("confidence") for holder in holders if isinstance(holder, dict)]
    return [confidence for confidence in found if is_number(confidence)]


def compile_pattern(text: str) -> re.Pattern[str]:
    """A regular expression that somebody gave."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ManifestError(f"{text!r} is no regular expression: {error}") from error
