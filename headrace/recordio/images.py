"""Image RecordIO: the `.rec` and `.idx` files of MXNet's im2rec, which the image algorithms read.

Each record of a `.rec` is a header of 24 bytes, its labels if there are several, and the image file as it is:

    flag: uint32 | label: float32 | index: uint64 | index, upper half: uint64 | labels: flag times float32 | JPEG or PNG

With one label the flag is 0, else it counts the labels and the label in the header is 0. The `.idx` beside it is text
that says at which byte the record of each index starts:

    7	0
    5	13248

The format is that of https://github.com/apache/mxnet/blob/1.9.1/python/mxnet/recordio.py and tools/im2rec.py.
"""

import mmap
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from headrace.files import whole_file, whole_files, whole_folder
from headrace.inputs import open_regular
from headrace.lst.paths import find_stray, leaves_folder
from headrace.lst.rows import MultiLabelRow, Row, write_lst
from headrace.normalizer.formats import JPEG_SIGNATURE, PNG_SIGNATURE, Format, list_suffixes
from headrace.recordio.framing import (
    ALIGNMENT,
    CUT_SHORT,
    HEADER,
    LONGEST,
    MAGIC,
    Frame,
    RecordIOError,
    frame_record,
    name_frame,
    read_frame,
)
from headrace.recordio.inputs import open_file, read_again

IMAGE_HEADER = struct.Struct("<IfQQ")
# A record in one piece with one label, which nearly all are, is recognized by both headers at once.
WHOLE_HEADER = struct.Struct("<4sIIfQQ")
LABEL = struct.Struct("<f")
IMAGES_SUFFIX, INDEX_SUFFIX = ".rec", ".idx"
HIGHEST_INDEX = (1 << 64) - 1
# How many bad images of a list an error names.
SHOWN_IMAGES = 20

_INDEX_LINE = re.compile(r"([0-9]{1,20})\t([0-9]{1,20})")


class ImageRecord(NamedTuple):
    """An image file with its unique index and its labels, usually one."""

    image_index: int
    labels: tuple[float, ...]
    image: bytes


@dataclass(frozen=True)
class RefusedImage:
    """An image of a list that cannot be packed: where it should be, and why not."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def load_images(
    rows: Iterable[Row], folder: Path, *, refused: Callable[[RefusedImage], None] | None = None
) -> Iterator[ImageRecord]:
    """The images of a list, read from their folder one at a time.

    Args:
        rows: The list.
        folder: What its paths are below.
        refused: Called for an image that cannot be packed, which is then left out; without it, the end is an error that
            names all of these.
    """
    bad: list[RefusedImage] = []
    for row in rows:
        image = read_image(folder, row.path)
        if isinstance(image, RefusedImage):
            (refused or bad.append)(image)
        elif not bad:
            yield ImageRecord(row.index, tuple(map(float, row.label_text.split("\t"))), image)
    if bad:
        more = [f"and {len(bad) - SHOWN_IMAGES} more"] if len(bad) > SHOWN_IMAGES else []
        raise RecordIOError("\n".join([*map(str, bad[:SHOWN_IMAGES]), *more]))


def read_image(folder: Path, name: str) -> bytes | RefusedImage:
    """The JPEG or PNG file of an image, or why there is none."""
    path = folder / name
    reason = find_stray(name) or ("a link leads out of the folder" if leaves_folder(path, folder) else None)
    if reason:
        return RefusedImage(name, reason)
    try:
        with open_regular(path) as file:
            image = file.read()
    except OSError as error:
        return RefusedImage(str(path), error.strerror or str(error))
    if not image:
        return RefusedImage(str(path), "is empty; copy the image again or remove it from the list")
    if not image.startswith((JPEG_SIGNATURE, PNG_SIGNATURE)):
        return RefusedImage(str(path), "is neither JPEG nor PNG; remove it from the list or convert it")
    return image


def write_images(path: Path, records: Iterable[ImageRecord]) -> int:
    """Write images to a `.rec` file and its `.idx` file, which appear whole or not at all, and return how many.

    Args:
        path: The `.rec` file.
        records: Images with unique indices.
    """
    if path.suffix != IMAGES_SUFFIX:
        raise RecordIOError(
            f"{path}: does not end in {IMAGES_SUFFIX}; its index is beside it and ends in {INDEX_SUFFIX}"
        )
    offset, seen = 0, set[int]()
    with (
        whole_files(path, path.with_suffix(INDEX_SUFFIX)) as (partial, partial_index),
        partial.open("wb") as file,
        partial_index.open("wb") as index_file,
    ):
        for record in records:
            if record.image_index in seen:
                raise RecordIOError(f"image {record.image_index}: two images have this index; indices are unique")
            seen.add(record.image_index)
            framed = frame_record(pack_image(record))
            file.write(framed)
            index_file.write(f"{record.image_index}\t{offset}\n".encode())
            offset += len(framed)
    return len(seen)


def pack_image(record: ImageRecord) -> bytes:
    """An image with the header that its record holds."""
    if not 0 <= record.image_index <= HIGHEST_INDEX or not record.labels:
        raise RecordIOError(f"image {record.image_index}: give an index from 0 to 2^64 - 1 and at least one label")
    if len(record.labels) == 1:
        return IMAGE_HEADER.pack(0, record.labels[0], record.image_index, 0) + record.image
    labels = struct.pack(f"<{len(record.labels)}f", *record.labels)
    return IMAGE_HEADER.pack(len(record.labels), 0, record.image_index, 0) + labels + record.image


def unpack_image(frame: Frame) -> ImageRecord:
    """The image of a record."""
    size = len(frame.payload)
    if size < IMAGE_HEADER.size:
        raise RecordIOError(f"{name_frame(frame)}: has {size} bytes, too few for the header of an image")
    flag, label, index, _ = IMAGE_HEADER.unpack_from(frame.payload)
    end = IMAGE_HEADER.size + flag * LABEL.size
    if size < end:
        raise RecordIOError(
            f"{name_frame(frame)}: has {size:,} bytes, too few for {flag:,} labels; is it a file of images?"
        )
    labels = struct.unpack_from(f"<{flag}f", frame.payload, IMAGE_HEADER.size) if flag else (label,)
    return ImageRecord(index, labels, frame.payload[end:])


class ImageFile:
    """A `.rec` file, in order by iterating and by index with `images[index]`.

    The `.idx` file is used if there is one beside it; else the records' headers are looked through once.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "train.rec"
        >>> write_images(path, [ImageRecord(7, (1.0,), b"seven"), ImageRecord(5, (0.0,), b"five")])
        2
        >>> with ImageFile(path) as images:
        ...     images[5]
        ImageRecord(image_index=5, labels=(0.0,), image=b'five')
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with read_again(path), open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            # Nothing cannot be mapped.
            self._map = mmap.mmap(file.fileno() if size else -1, size or 1, access=mmap.ACCESS_READ)
        self._size = size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._map.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[ImageRecord]:
        number = offset = 0
        while offset < self._size:
            record, offset = self._read(number, offset)
            number += 1
            yield record

    def __getitem__(self, index: int) -> ImageRecord:
        if index not in self._places:
            raise RecordIOError(f"{self._path}: has no image of index {index}")
        record, _ = self._read(*self._places[index])
        if record.image_index != index:
            raise RecordIOError(
                f"{self._index_path}: index {index} leads to image {record.image_index}; write both files again"
            )
        return record

    @property
    def indices(self) -> list[int]:
        """The indices of all images, in the file's order."""
        return list(self._places)

    @property
    def _index_path(self) -> Path:
        return self._path.with_suffix(INDEX_SUFFIX)

    @cached_property
    def _places(self) -> dict[int, tuple[int, int]]:
        """The number and the first byte of each image's record."""
        offsets = read_index(self._index_path) if self._index_path.exists() else dict(self._find_offsets())
        return {index: (number, offset) for number, (index, offset) in enumerate(offsets.items())}

    def _find_offsets(self) -> Iterator[tuple[int, int]]:
        number = offset = 0
        while offset < self._size:
            record, end = self._read(number, offset)
            yield record.image_index, offset
            number, offset = number + 1, end

    def _read(self, number: int, offset: int) -> tuple[ImageRecord, int]:
        """The image of the record at a byte, and where the next one starts."""
        if offset + WHOLE_HEADER.size <= self._size:
            magic, length, flag, label, index, _ = WHOLE_HEADER.unpack_from(self._map, offset)
            start, end = offset + WHOLE_HEADER.size, offset + HEADER.size + length
            following = end + -length % ALIGNMENT
            if magic == MAGIC and IMAGE_HEADER.size <= length <= LONGEST and not flag and following <= self._size:
                return ImageRecord(index, (label,), self._map[start:end]), following
        return self._read_other(number, offset)

    def _read_other(self, number: int, offset: int) -> tuple[ImageRecord, int]:
        """As `_read`, for records that are split, damaged or have several labels."""
        self._map.seek(min(offset, self._size))
        try:
            frame, size = read_frame(self._map, number, offset)
            if not frame:
                raise RecordIOError(f"byte {offset:,} is beyond the end; {CUT_SHORT}")
            return unpack_image(frame), offset + size
        except RecordIOError as error:
            raise RecordIOError(f"{self._path}, {error}") from error


def read_index(path: Path) -> dict[int, int]:
    """The byte at which the record of each index starts, from an `.idx` file."""
    with open_file(path) as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    offsets: dict[int, int] = {}
    for number, line in enumerate(lines, start=1):
        match = _INDEX_LINE.fullmatch(line)
        if not match:
            raise RecordIOError(f"{path}, line {number}: expected an index, a tab and a byte; write both files again")
        offsets[int(match[1])] = int(match[2])
    return offsets


def unpack_images(path: Path, folder: Path, *, header: Callable[[ImageRecord], None] | None = None) -> int:
    """Write the images of a `.rec` file and their list into a new folder, and return how many.

    Args:
        path: The `.rec` file.
        folder: Appears whole or not at all. Holds each image under its index, and the list named as the file.
        header: Called for each record that has labels and no image, such as those of InsightFace that say which records
            show one person. They stand in `NAME.headers.tsv`, not in the list.
    """
    with whole_folder(folder) as target, ImageFile(path) as images:
        headers: list[ImageRecord] = []
        rows: list[MultiLabelRow] = []
        for record in images:
            if record.image:
                rows.append(_save_image(record, target))
            else:
                headers.append(record)
        write_lst(target / path.with_suffix(".lst").name, rows)
        _save_headers(headers, target / path.with_suffix(".headers.tsv").name)
    if header:
        for record in headers:
            header(record)
    return len(rows)


def _save_headers(headers: Sequence[ImageRecord], path: Path) -> None:
    lines = [f"{record.image_index}\t{MultiLabelRow(0, record.labels, '').label_text}\n" for record in headers]
    if lines:
        with whole_file(path) as partial:
            partial.write_text("".join(lines), encoding="utf-8", newline="\n")


def _save_image(record: ImageRecord, folder: Path) -> MultiLabelRow:
    suffix = list_suffixes([Format.PNG if record.image.startswith(PNG_SIGNATURE) else Format.JPEG])[-1]
    row = MultiLabelRow(record.image_index, tuple(map(shorten_label, record.labels)), f"{record.image_index}{suffix}")
    with whole_file(folder / row.path) as partial:
        partial.write_bytes(record.image)
    return row


def shorten_label(label: float) -> float:
    """The shortest number that is the same in 32 bits: the record of 0.1 holds 0.10000000149011612."""
    return float(str(np.float32(label)))
