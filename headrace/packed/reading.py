"""Reading packed sets: any records by their places, and the batches of an epoch ahead of who trains on them.

Every record that is read is compared with its checksum. Files are read at positions and not mapped into memory: that is
as fast, and a file that is cut short or a file system that fails is an error with a name, not a killed process.
"""

import hashlib
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from headrace.errors import naming
from headrace.packed.layout import (
    HEADER_BYTES,
    RECORD,
    TABLE_FILE,
    ArrayFile,
    PackedError,
    name_shard,
    read_layout,
)
from headrace.packed.order import WINDOW_RECORDS, Epoch, Places
from headrace.packed.shards import OpenShards, open_array

READERS: Final = 2
AHEAD: Final = 4
Pixels = NDArray[np.uint8]
Allocate = Callable[[tuple[int, ...]], Pixels]


class PackedSet:
    """A packed set that is open for reading; threads may share it.

    Args:
        folder: Where it is.

    Raises:
        PackedError: If a file is missing or is not as long and of the kind that `packed.json` says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = read_layout(folder)
        with open_array(folder / TABLE_FILE, self.layout.table, RECORD, ()) as table:
            self._table = _read_table(folder / TABLE_FILE, table, self.layout.table)
        _check_classes(folder / TABLE_FILE, self.classes, self.layout.classes)
        self._shards = OpenShards(folder, self.layout)
        self._begins = np.cumsum([0, *(shard.records for shard in self.layout.shards)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._table)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The class of each record, by its place."""
        return self._table["class"].astype(np.int64)

    @property
    def indices(self) -> NDArray[np.uint64]:
        """The unique index of each record, by its place."""
        return np.asarray(self._table["index"])

    def close(self) -> None:
        """Close its files."""
        self._shards.close()

    def read(self, places: Places, target: Pixels | None = None) -> Pixels:
        """The pixels of records, by record, row, column and colour.

        Args:
            places: Of the records, from 0, in any order.
            target: Where to put them: contiguous uint8 of shape (records, height, width, colours); made if left out.

        Raises:
            PackedError: Naming the file and the record that is damaged.
        """
        pixels = np.empty((len(places), *self.layout.shape), np.uint8) if target is None else target
        rows = pixels.reshape(len(places), self.layout.record_bytes)
        shards = np.searchsorted(self._begins, places, "right") - 1
        for row, place, shard in zip(rows, places.tolist(), shards.tolist(), strict=True):
            self._read_one(row, place, shard)
        return pixels

    def read_ahead(self, places: Places) -> None:
        """Ask the system to fetch records that are read soon; it need not."""
        if not hasattr(os, "posix_fadvise") or not len(places):
            return
        ordered = np.sort(places)
        shards = np.searchsorted(self._begins, ordered, "right") - 1
        ends = np.flatnonzero((np.diff(ordered) != 1) | (np.diff(shards) != 0)) + 1
        for run, own in zip(np.split(ordered, ends), np.split(shards, ends), strict=True):
            begin, size = self._find_byte(int(run[0]), int(own[0])), len(run) * self.layout.record_bytes
            with self._shards.use(int(own[0])) as file:
                os.posix_fadvise(file.fileno(), begin, size, os.POSIX_FADV_WILLNEED)

    def verify(self) -> None:
        """Compare every file with its digest and every record with its checksum.

        Raises:
            PackedError: Naming the first that differs, or an index that two records have.
        """
        _check_indices(self.folder / TABLE_FILE, self.indices)
        for begin in range(0, len(self), AHEAD):
            self.read(np.arange(begin, min(begin + AHEAD, len(self))))
        for number, shard in enumerate(self.layout.shards):
            path = self.folder / name_shard(number)
            with self._shards.use(number) as file, naming(path, PackedError):
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != shard.sha256:
                raise PackedError(f"{path}: its SHA-256 is {digest}, not {shard.sha256}; copy it again")

    def _read_one(self, row: Pixels, place: int, shard: int) -> None:
        path = self.folder / name_shard(shard)
        with self._shards.use(shard) as file, naming(path, PackedError):
            size = _fill(file.fileno(), row, self._find_byte(place, shard))
        if size != len(row):
            raise PackedError(f"{self._name(place, shard)}: ends after {size:,} of {len(row):,} bytes; copy it again")
        if zlib.crc32(row.data) != self._table["crc32"][place]:
            raise PackedError(
                f"{self._name(place, shard)}: its pixels do not have their checksum; copy the file again, or pack the "
                "set again"
            )

    def _find_byte(self, place: int, shard: int) -> int:
        return HEADER_BYTES + (place - int(self._begins[shard])) * self.layout.record_bytes

    def _name(self, place: int, shard: int) -> str:
        number = place - int(self._begins[shard])
        return f"{self.folder / name_shard(shard)}, record {number} (index {self._table['index'][place]})"


@dataclass(frozen=True)
class Batch:
    """The records of a step.

    Args:
        number: The step's, counted from 0.
        pixels: By record, row, column and colour.
        classes: The class of each record.
        total: How many records all instances read for the step.
    """

    number: int
    pixels: Pixels
    classes: NDArray[np.int64]
    total: int


def read_batches(
    packed: PackedSet,
    epoch: Epoch,
    *,
    begin: int = 0,
    readers: int = READERS,
    ahead: int = AHEAD,
    allocate: Allocate | None = None,
) -> Iterator[Batch]:
    """The batches of an epoch in its order, read by threads ahead of who takes them.

    Args:
        packed: The set.
        epoch: Its order and its steps.
        begin: The first step to read, for work that resumes there.
        readers: How many threads read.
        ahead: How many batches may wait.
        allocate: Makes the array of a batch, such as one in page-locked memory.
    """
    make = allocate or (lambda shape: np.empty(shape, np.uint8))
    classes = packed.classes

    def read(number: int) -> Batch:
        step = epoch.step(number)
        pixels = packed.read(step.places, make((len(step.places), *packed.layout.shape)))
        return Batch(number, pixels, classes[step.places], step.total)

    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(readers, "packed") as pool:
        try:
            for number in range(begin, len(epoch)):
                if _enters_window(epoch, number, begin):
                    pool.submit(packed.read_ahead, _find_next_window(epoch, number))
                waiting.append(pool.submit(read, number))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _enters_window(epoch: Epoch, number: int, begin: int) -> bool:
    return number == begin or _find_window(epoch, number) != _find_window(epoch, number - 1)


def _find_window(epoch: Epoch, number: int) -> int:
    return number * epoch.batch * epoch.share.count // WINDOW_RECORDS


def _find_next_window(epoch: Epoch, number: int) -> Places:
    begin = (_find_window(epoch, number) + 1) * WINDOW_RECORDS
    return epoch.order[begin : begin + WINDOW_RECORDS]


def _fill(descriptor: int, row: Pixels, offset: int) -> int:
    """Read until a row is full or the file ends; how many bytes that were."""
    done = 0
    while done < len(row) and (size := os.preadv(descriptor, [row[done:].data], offset + done)):
        done += size
    return done


def _read_table(path: Path, opened: BufferedReader, file: ArrayFile) -> NDArray[np.void]:
    with naming(path, PackedError):
        # In pieces: a file that is mostly a hole costs its maker nothing, and must not fill the memory.
        opened.seek(0)
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != file.sha256:
            raise PackedError(f"{path}: its SHA-256 is not {file.sha256}; copy it again")
        opened.seek(HEADER_BYTES)
        return np.frombuffer(opened.read(file.bytes - HEADER_BYTES), RECORD)


def _check_classes(path: Path, classes: NDArray[np.int64], counts: tuple[int, ...]) -> None:
    # The bounds come first: counting takes as much memory as the highest class is high.
    is_counted = classes.min() >= 0 and classes.max() < len(counts)
    if not is_counted or not np.array_equal(np.bincount(classes, minlength=len(counts)), counts):
        raise PackedError(f"{path}: its classes are not those that packed.json counts; pack the set again")


def _check_indices(path: Path, indices: NDArray[np.uint64]) -> None:
    unique, counts = np.unique(indices, return_counts=True)
    if len(unique) < len(indices):
        index = unique[counts > 1][0]
        raise PackedError(f"{path}: more than one record has the index {index}; pack the set again")
