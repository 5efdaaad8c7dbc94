"""Packed sets: the pixels of normalized images as a training loop takes them, in a folder of plain NumPy arrays.

    packed.json         what is in the set
    records.npy         of each record: its index, its class, and the CRC-32 of its pixels
    pixels-00000.npy    the pixels, uint8 by record, row, column and colour; as many such shards as there are

Any program can read them with `numpy.load`. A sample of `packed.json`, of three records in one shard:

    {"format": "headrace-packed", "version": 1, "height": 256, "width": 256, "colours": 3,
     "classes": [2, 1], "labels": ["accordion", "bonsai"],
     "table": {"records": 3, "bytes": 176, "sha256": "9f86d081…"},
     "shards": [{"records": 3, "bytes": 589952, "sha256": "60303ae2…"}]}

`classes` counts the records of each class, class 0 first; `labels` names the classes, or is empty. The arrays are
version 1.0 of https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
"""

import json
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from headrace.errors import HeadraceError, naming
from headrace.inputs import open_regular

FORMAT: Final = "headrace-packed"
VERSION: Final = 1
SET_FILE: Final = "packed.json"
TABLE_FILE: Final = "records.npy"
COLOURS: Final = (1, 3)
LARGEST_SIDE: Final = 2048
# Their table takes 1 GiB of memory.
MOST_RECORDS: Final = 2**26
HIGHEST_CLASS: Final = 2**20
# A document of so many classes, labels and shards is shorter than the longest that is read.
MOST_SHARDS: Final = 100_000
MOST_LABEL_BYTES: Final = 32 << 20
MOST_SET_BYTES: Final = 64 << 20
RECORD: Final = np.dtype([("index", "<u8"), ("class", "<i4"), ("crc32", "<u4")])
# Enough for every shape that a set may have.
HEADER_BYTES: Final = 128
_HEADER_VERSION: Final = (1, 0)

# Line feed, indentation and comma.
_LABEL_INDENT: Final = 4
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_KEYS: Final = ("format", "version", "height", "width", "colours", "classes", "labels", "table", "shards")


class PackedError(HeadraceError):
    """A packed set that cannot be written or read; its message says which file and record, and why."""


@dataclass(frozen=True)
class ArrayFile:
    """A file of the set: how many records it is about, how long it is, and the digest of its bytes."""

    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is in a packed set.

    Args:
        height: Rows of a record.
        width: Columns of a record.
        colours: 1 for grey, 3 for RGB.
        classes: How many records there are of each class, class 0 first.
        labels: The names of the classes, if they have any.
        table: The file that has a row for each record.
        shards: The pixel files.
    """

    height: int
    width: int
    colours: int
    classes: tuple[int, ...]
    labels: tuple[str, ...]
    table: ArrayFile
    shards: tuple[ArrayFile, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and colours of a record."""
        return self.height, self.width, self.colours

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return self.height * self.width * self.colours

    @property
    def records(self) -> int:
        """How many records there are."""
        return self.table.records

    def dump(self) -> bytes:
        """The content of `packed.json`."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return f"{json.dumps({key: content[key] for key in _KEYS}, ensure_ascii=False, indent=1)}\n".encode()


def name_shard(number: int) -> str:
    """The name of a shard, by its number."""
    return f"pixels-{number:05}.npy"


def make_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The header of an array's file, always equally long."""
    descr = np.lib.format.dtype_to_descr(dtype)
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    start = np.lib.format.magic(*_HEADER_VERSION)
    length = HEADER_BYTES - len(start) - 2
    return start + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"


def find_bad_label(labels: Iterable[Any]) -> tuple[int, str] | None:
    """The class whose name cannot be one, and why: names are unique and are printed on terminals."""
    seen: set[str] = set()
    size = 0
    for place, label in enumerate(labels):
        if problem := _find_problem(label, seen):
            return place, problem
        size += len(json.dumps(label, ensure_ascii=False).encode()) + _LABEL_INDENT
        if size > MOST_LABEL_BYTES or place >= HIGHEST_CLASS:
            return place, f"is beyond {HIGHEST_CLASS:,} names or {MOST_LABEL_BYTES >> 20} MiB of them"
        seen.add(label)
    return None


def _find_problem(label: Any, seen: Set[str]) -> str:
    if not isinstance(label, str):
        return f"{reprlib.repr(label)} is not text"
    if not label.strip():
        return "is blank"
    if not label.isprintable():
        return f"{reprlib.repr(label)} has characters that cannot be printed"
    return f"{reprlib.repr(label)} occurs twice" if label in seen else ""


def read_layout(folder: Path) -> Layout:
    """What is in the packed set of a folder; its arrays have not been looked at.

    Raises:
        PackedError: If there is none, or it is not what it should be.
    """
    path = folder / SET_FILE
    with naming(path, PackedError), open_regular(path) as file:
        content = file.read(MOST_SET_BYTES + 1)
    if len(content) > MOST_SET_BYTES:
        raise PackedError(f"{path}: is longer than {MOST_SET_BYTES >> 20} MiB; pack the set again")
    try:
        return _parse(json.loads(content))
    except _LayoutError as mistake:
        raise PackedError(f"{path}: {mistake}; pack the set again") from None
    except (ValueError, RecursionError) as error:
        raise PackedError(f"{path}: is not JSON: {error}; pack the set again") from error


class _LayoutError(Exception):
    """What is wrong with the document."""


def _parse(content: Any) -> Layout:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _LayoutError(f"does not say that it is of the format {FORMAT!r}")
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise _LayoutError(f"is of version {reprlib.repr(version)}, and this program reads {VERSION}")
    layout = Layout(
        height=_take_number(content, "height", LARGEST_SIDE, 1),
        width=_take_number(content, "width", LARGEST_SIDE, 1),
        colours=_take_number(content, "colours", max(COLOURS), 1),
        classes=tuple(_check_number("classes", count, MOST_RECORDS) for count in _take_list(content, "classes")),
        labels=_take_labels(content),
        table=_take_file(content.get("table"), "table"),
        shards=tuple(
            _take_file(shard, f"shards[{place}]")
            for place, shard in enumerate(_take_list(content, "shards", MOST_SHARDS))
        ),
    )
    _check_sums(layout)
    return layout


def _check_sums(layout: Layout) -> None:
    if layout.colours not in COLOURS:
        raise _LayoutError(f"colours: found {layout.colours}, expected {' or '.join(map(str, COLOURS))}")
    if layout.labels and len(layout.labels) != len(layout.classes):
        raise _LayoutError(f"labels: {len(layout.labels)} names for {len(layout.classes)} classes")
    for key, numbers in (("classes", layout.classes), ("shards", [shard.records for shard in layout.shards])):
        if sum(numbers) != layout.records:
            raise _LayoutError(f"{key}: {sum(numbers):,} records, and table has {layout.records:,}")
    expected = [
        ("table", layout.table, RECORD.itemsize),
        *((f"shards[{place}]", shard, layout.record_bytes) for place, shard in enumerate(layout.shards)),
    ]
    for key, file, size in expected:
        if file.bytes != HEADER_BYTES + file.records * size:
            raise _LayoutError(f"{key}.bytes: found {file.bytes:,}, which is not what {file.records:,} records take")


def _take_file(content: Any, key: str) -> ArrayFile:
    if not isinstance(content, dict):
        raise _LayoutError(f"{key}: found {reprlib.repr(content)}, expected records, bytes and sha256")
    digest = content.get("sha256")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _LayoutError(f"{key}.sha256: found {reprlib.repr(digest)}, expected 64 hexadecimal digits")
    return ArrayFile(
        _take_number(content, "records", MOST_RECORDS, 1, f"{key}."),
        _take_number(content, "bytes", 2**62, 1, f"{key}."),
        digest,
    )


def _take_labels(content: Mapping[str, Any]) -> tuple[str, ...]:
    labels = _take_list(content, "labels")
    if bad := find_bad_label(labels):
        raise _LayoutError(f"labels[{bad[0]}]: {bad[1]}")
    return tuple(labels)


def _take_list(content: Mapping[str, Any], key: str, most: int = HIGHEST_CLASS) -> Sequence[Any]:
    found = content.get(key)
    if not isinstance(found, list) or len(found) > most:
        raise _LayoutError(f"{key}: expected a list of at most {most:,}")
    return found


def _take_number(content: Mapping[str, Any], key: str, most: int, least: int = 0, where: str = "") -> int:
    return _check_number(f"{where}{key}", content.get(key), most, least)


def _check_number(key: str, found: Any, most: int, least: int = 0) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise _LayoutError(f"{key}: found {reprlib.repr(found)}, expected a whole number from {least} to {most:,}")
    return found
