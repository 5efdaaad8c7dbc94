"""Checks of a manifest against what training needs; all problems, in bounded memory."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from headrace.lst.problems import Problem
from headrace.manifest.labels import (
    Task,
    can_judge,
    find_label_problems,
    find_metadata_problems,
    find_own_problems,
    find_task,
)
from headrace.manifest.records import (
    FAILURE,
    METADATA_SUFFIX,
    REFERENCE_SUFFIX,
    SOURCES,
    Record,
    find_label,
    find_source,
    freeze,
    has_metadata,
    list_current_labels,
    list_labels,
    name_kind,
    name_metadata,
    read_metadata,
    read_type,
    scan_manifest,
)
from headrace.s3.addresses import S3Address, names_object

__all__ = ["Task", "check_manifest"]

MOST_ATTRIBUTES: Final = 16
_PARALLEL_REQUESTS: Final = 32
_WAITING_REQUESTS: Final = 1024


def check_manifest(
    path: Path,
    *,
    attribute_names: Sequence[str] = (),
    task: Task | None = None,
    client: Any = None,
    unjudged: Counter[str] | None = None,
) -> Iterator[Problem]:
    """Everything that is wrong with a manifest, as it is found.

    Args:
        path: The manifest.
        attribute_names: Those of the training channel, in its order; without them, the source and all labels but those
            that an adjustment job has gone over.
        task: What is learnt from the labels; without it, what their metadata says.
        client: boto3's client of S3, to see whether each object is there.
        unjudged: Counts the labels that are passed because nothing says what they should be, by a name for them.
    """
    yield from (Problem(None, text) for text in find_name_problems(attribute_names))
    checker = _RecordChecker(attribute_names, task, Counter() if unjudged is None else unjudged)
    found = _check_records(path, checker)
    yield from _check_objects(found, client) if client else (item for item in found if isinstance(item, Problem))
    if not checker.lines:
        yield Problem(None, "the manifest has no rows")


def find_name_problems(names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the attribute names of a training channel."""
    if len(names) > MOST_ATTRIBUTES:
        yield f"{len(names)} attribute names; a channel takes at most {MOST_ATTRIBUTES}"
    if names and names[0] not in SOURCES and not names[0].endswith(REFERENCE_SUFFIX):
        yield f"the first attribute name is {names[0]!r}; algorithms read the source first, then its labels"
    yield from (f"attribute name {name!r} occurs twice" for name in sorted({n for n in names if names.count(n) > 1}))


class _RecordChecker:
    """Checks records one by one; remembers the first type of each attribute and, in two numbers, each line's labels."""

    def __init__(self, names: Sequence[str], task: Task | None, unjudged: Counter[str]) -> None:
        self.lines = 0
        self._names = tuple(names)
        self._task = task
        self._unjudged = unjudged
        self._kinds: dict[str, tuple[str, int]] = {}
        self._labels: dict[int, tuple[int, int]] = {}

    def find_problems(self, record: Record) -> Iterator[str]:
        """What is wrong with a record, but for objects that are not there."""
        data = record.data
        if find_source(data) is None:
            yield "neither source-ref nor source; each line is about an object or a text"
        yield from _find_reference_problems(data)
        yield from self._find_kind_problems(record)
        for name in self._names:
            if name not in data and name not in SOURCES:
                yield _describe_absence(data, name)
        for name in self._list_labels(data):
            yield from self._find_label_problems(data, name)
        yield from self._find_dispute(record)

    def _list_labels(self, data: Any) -> list[str]:
        if self._names:
            return [name for name in self._names if name in data and self._is_label(data, name)]
        labels = list_current_labels(data) if any(has_metadata(data, name) for name in list_labels(data)) else []
        if self._task is None:
            return labels or list_labels(data)[:1]
        label = next((name for name in labels if find_task(data, name) is self._task), find_label(data))
        return [label or "label"]

    def _is_label(self, data: Any, name: str) -> bool:
        return name != find_source(data) and name not in SOURCES and not name.endswith(METADATA_SUFFIX)

    def _find_label_problems(self, data: Any, name: str) -> Iterator[str]:
        if data.get(name) is None or FAILURE in read_metadata(data, name):
            yield _describe_absence(data, name)
        elif self._task:
            yield from (f"{name_metadata(data, name)}: {text}" for text in find_metadata_problems(data, name))
            yield from find_label_problems(self._task, data, name)
        else:
            yield from find_own_problems(data, name)
            if not can_judge(data, name):
                self._unjudged[_describe_kind(data, name)] += 1

    def _find_dispute(self, record: Record) -> Iterator[str]:
        """A source that an earlier line gives other labels."""
        labels = {name: record.data.get(name) for name in list_current_labels(record.data)}
        content = hash(freeze(labels))
        known, line = self._labels.setdefault(hash(record.source), (content, record.line))
        if known != content:
            yield f"{record.source} has other labels on line {line}; keep the right ones"

    def _find_kind_problems(self, record: Record) -> Iterator[str]:
        for name, value in record.data.items():
            kind = name_kind(value)
            first, line = self._kinds.setdefault(name, (kind, record.line))
            if kind != first and value is not None:
                yield f"{name} is {kind}, on line {line} it is {first}; an attribute has one type"


def _describe_kind(data: Any, name: str) -> str:
    job = read_type(data, name)
    if job:
        return f"{name}, of type {job}, an unknown kind"
    return f"{name}, without a type in its metadata; set --task"


def _describe_absence(data: Any, name: str) -> str:
    metadata = read_metadata(data, name)
    if FAILURE in metadata:
        return f"{name}: the annotation failed: {metadata[FAILURE]}; label it again or leave the line out"
    return f"{name}: not labelled; label it or leave the line out"


def _find_reference_problems(data: Any) -> Iterator[str]:
    for name, value in data.items():
        if name.endswith(REFERENCE_SUFFIX) and not (isinstance(value, str) and names_object(value)):
            yield f"{name} is {value!r}, expected the S3 address of an object, such as s3://bucket/key"


def _check_records(path: Path, checker: _RecordChecker) -> Iterator[Problem | Record]:
    for record in scan_manifest(path):
        checker.lines += 1
        if isinstance(record, Record):
            yield from (Problem(record.line, text) for text in checker.find_problems(record))
        yield record


def _check_objects(found: Iterator[Problem | Record], client: Any) -> Iterator[Problem]:
    """Ask S3 for many objects at a time, with a limit on the answers that are waited for."""
    waiting: deque[tuple[Record, str, Future[str | None]]] = deque()
    with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
        for item in found:
            if isinstance(item, Problem):
                yield item
                continue
            for name, uri in _list_references(item):
                waiting.append((item, name, pool.submit(_find_object_problem, client, uri)))
            while len(waiting) > _WAITING_REQUESTS:
                yield from _take_answer(waiting)
        while waiting:
            yield from _take_answer(waiting)


def _take_answer(waiting: deque[tuple[Record, str, Future[str | None]]]) -> Iterator[Problem]:
    record, name, answer = waiting.popleft()
    if text := answer.result():
        yield Problem(record.line, f"{name}: {text}")


def _list_references(record: Record) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in record.data.items()
        if name.endswith(REFERENCE_SUFFIX) and isinstance(value, str) and names_object(value)
    ]


def _find_object_problem(client: Any, uri: str) -> str | None:
    from botocore.exceptions import BotoCoreError, ClientError

    from headrace.s3.answers import Refusal
    from headrace.s3.heads import find_object

    address = S3Address.parse(uri)
    try:
        found = find_object(client, address.bucket, address.key)
    except ClientError as error:
        return f"{uri}: {Refusal.of(error.response)}"
    except BotoCoreError as error:
        return f"{uri}: {error}"
    return f"{uri} is not there" if found is None else None
