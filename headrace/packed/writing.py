"""Writing packed sets, which appear whole or not at all."""

import hashlib
import math
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headrace.errors import naming
from headrace.files import whole_folder
from headrace.lst.rows import ListRow
from headrace.normalizer.errors import NormalizeError
from headrace.normalizer.limits import LEARNT
from headrace.normalizer.normalize import normalize_to_pixels
from headrace.normalizer.options import Options
from headrace.packed.layout import (
    COLOURS,
    HEADER_BYTES,
    HIGHEST_CLASS,
    LARGEST_SIDE,
    MOST_RECORDS,
    MOST_SHARDS,
    RECORD,
    SET_FILE,
    TABLE_FILE,
    ArrayFile,
    Layout,
    PackedError,
    find_bad_label,
    make_header,
    name_shard,
)
from headrace.recordio.images import SHOWN_IMAGES, RefusedImage, read_image

SHARD_BYTES: Final = 1 << 30


@dataclass(frozen=True)
class PackedRecord:
    """A normalized image: its unique index, its class counted from 0, and its pixels by row, column and colour."""

    index: int
    class_number: int
    pixels: NDArray[np.uint8]


def write_packed(
    folder: Path, records: Iterable[PackedRecord], *, labels: Sequence[str] = (), shard_bytes: int = SHARD_BYTES
) -> Layout:
    """Write a packed set into a new folder, and return what is in it.

    Args:
        folder: Appears whole or not at all.
        records: Those of the set, all of one shape: (height, width, 1) or (height, width, 3), uint8.
        labels: The names of the classes, class 0 first; none leaves them out.
        shard_bytes: How large a pixel file becomes at most, unless one record is larger.

    Raises:
        PackedError: Naming the first record that cannot be written.
        FileError: If the folder is there already, or cannot be written.

    Example:
        >>> import tempfile
        >>> pixels = np.zeros((2, 2, 1), np.uint8)
        >>> folder = Path(tempfile.mkdtemp()) / "train"
        >>> write_packed(folder, [PackedRecord(7, 1, pixels), PackedRecord(5, 0, pixels)]).classes
        (1, 1)
    """
    if bad := find_bad_label(labels):
        raise PackedError(f"class {bad[0]}: its name {bad[1]}; give each class a short name of its own")
    with whole_folder(folder) as target, naming(folder, PackedError):
        rows: list[tuple[int, int, int]] = []
        shards: list[ArrayFile] = []
        coming = _check_records(records, len(labels))
        first = next(coming, None)
        if first is None:
            raise PackedError(f"{folder}: there are no records to pack")
        shape = first.pixels.shape
        per_shard = max(1, shard_bytes // first.pixels.nbytes)
        left = chain([first], coming)
        while (record := next(left, None)) is not None:
            if len(shards) == MOST_SHARDS:
                raise PackedError(f"{folder}: takes more than {MOST_SHARDS:,} pixel files; make them larger")
            part = islice(chain([record], left), per_shard)
            path = target / name_shard(len(shards))
            shards.append(_write_array(path, _take_pixels(part, rows), np.dtype(np.uint8), shape))
        table = np.array(rows, RECORD)
        counts = np.bincount(table["class"], minlength=len(labels))
        layout = Layout(
            height=shape[0],
            width=shape[1],
            colours=shape[2],
            classes=tuple(map(int, counts)),
            labels=tuple(labels),
            table=_write_array(target / TABLE_FILE, [table.view(np.uint8)], RECORD, ()),
            shards=tuple(shards),
        )
        (target / SET_FILE).write_bytes(layout.dump())
    return layout


def pack_list(
    rows: Iterable[ListRow],
    source: Path,
    folder: Path,
    *,
    options: Options,
    labels: Sequence[str] = (),
    refused: Callable[[RefusedImage], None] | None = None,
    threads: int = 1,
    shard_bytes: int = SHARD_BYTES,
) -> Layout:
    """Pack the photographs of a list, or their normalized images, in the order of the list.

    Args:
        rows: The list.
        source: What its paths are below.
        folder: The new folder of the set; appears whole or not at all.
        options: Size, colours and fit of the records. What has them already keeps its pixels.
        labels: The names of the classes.
        refused: Called for what cannot be packed, which is then left out; without it, the end is an error that names
            all of these.
        threads: How many are decoded at a time.
        shard_bytes: As for `write_packed`.
    """
    bad: list[RefusedImage] = []

    def select() -> Iterator[PackedRecord]:
        for found in _decode_ahead(rows, source, options, threads):
            if isinstance(found, RefusedImage):
                (refused or bad.append)(found)
            else:
                yield found
        if bad:
            more = [f"and {len(bad) - SHOWN_IMAGES} more"] if len(bad) > SHOWN_IMAGES else []
            raise PackedError("\n".join([*map(str, bad[:SHOWN_IMAGES]), *more]))

    return write_packed(folder, select(), labels=labels, shard_bytes=shard_bytes)


def _decode_ahead(
    rows: Iterable[ListRow], source: Path, options: Options, threads: int
) -> Iterator[PackedRecord | RefusedImage]:
    waiting: deque[Future[PackedRecord | RefusedImage]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for row in rows:
            waiting.append(pool.submit(_decode, row, source, options))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _decode(row: ListRow, source: Path, options: Options) -> PackedRecord | RefusedImage:
    content = read_image(source, row.path)
    if isinstance(content, RefusedImage):
        return content
    try:
        pixels = np.asarray(normalize_to_pixels(content, options, LEARNT))
    except NormalizeError as error:
        return RefusedImage(str(source / row.path), f"{error.reason}; remove it from the list or replace it")
    return PackedRecord(row.index, row.label, pixels.reshape(options.height, options.width, -1))


def _check_records(records: Iterable[PackedRecord], names: int) -> Iterator[PackedRecord]:
    """The records, each of which fits to the first and, unless there are no names, has a class with one."""
    seen: set[int] = set()
    shape: tuple[int, ...] = ()
    for record in records:
        shape = shape or record.pixels.shape
        if record.index in seen:
            raise PackedError(f"record {record.index}: two records have this index; indices are unique")
        if not 0 <= record.index < 2**64 or not 0 <= record.class_number < HIGHEST_CLASS:
            raise PackedError(
                f"record {record.index} of class {record.class_number}: give an index from 0 to 2^64 - 1 and a class "
                f"from 0 to {HIGHEST_CLASS - 1}"
            )
        if 0 < names <= record.class_number:
            raise PackedError(
                f"class {record.class_number} has no name: there are {names} names; name every class, class 0 first"
            )
        if len(seen) == MOST_RECORDS:
            raise PackedError(f"record {record.index}: a set has at most {MOST_RECORDS:,} records; divide the list")
        _check_pixels(record, shape)
        seen.add(record.index)
        yield record


def _check_pixels(record: PackedRecord, shape: tuple[int, ...]) -> None:
    found = record.pixels.shape
    if record.pixels.dtype != np.uint8 or len(found) != 3 or found[2] not in COLOURS:
        raise PackedError(
            f"record {record.index}: pixels of {found} {record.pixels.dtype}; expected uint8 by row, column and colour"
        )
    if not all(1 <= side <= LARGEST_SIDE for side in found[:2]):
        raise PackedError(f"record {record.index}: pixels of {found}; sides are from 1 to {LARGEST_SIDE}")
    if found != shape:
        raise PackedError(f"record {record.index}: pixels of {found}, and those before it are of {shape}")


def _write_array(
    path: Path, parts: Iterable[NDArray[np.uint8]], dtype: np.dtype[Any], row_shape: tuple[int, ...]
) -> ArrayFile:
    """Write an array whose length is known at its end, from its bytes."""
    size = 0
    with path.open("w+b") as file:
        file.write(bytes(HEADER_BYTES))
        for part in parts:
            file.write(part.data)
            size += part.nbytes
        records = size // (dtype.itemsize * math.prod(row_shape))
        file.seek(0)
        file.write(make_header(dtype, (records, *row_shape)))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ArrayFile(records, HEADER_BYTES + size, digest)


def _take_pixels(records: Iterable[PackedRecord], rows: list[tuple[int, int, int]]) -> Iterator[NDArray[np.uint8]]:
    """The pixels of records, whose rows of the table are added."""
    for record in records:
        pixels = np.ascontiguousarray(record.pixels)
        rows.append((record.index, record.class_number, zlib.crc32(pixels.data)))
        yield pixels
