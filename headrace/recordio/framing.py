"""RecordIO: records of any bytes, one after the other in a file or stream.

A record is the magic number, a number that holds the length (29 bits) and the part (3 bits), the bytes, and zeros up to
a multiple of four; numbers are little-endian. The record `abcde`:

    0a 23 d7 ce | 05 00 00 00 | 61 62 63 64 65 | 00 00 00

Where the magic number itself stands in a record, at a multiple of four, it is left out and the record split there: into
a first (1), middle (2) and last part (3); a record in one piece is part 0. To look for the next magic number from
the middle of a file thus leads to a record's beginning. The format is that of
https://github.com/dmlc/dmlc-core/blob/main/include/dmlc/recordio.h.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, Protocol

from headrace.errors import HeadraceError

MAGIC = struct.pack("<I", 0xCED7230A)
LENGTH_BITS = 29
LONGEST = (1 << LENGTH_BITS) - 1
HEADER = struct.Struct("<4sI")
ALIGNMENT = 4
# A damaged length costs no more memory than this beyond what is really there.
READ_BYTES = 1 << 21


class RecordIOError(HeadraceError):
    """Records that cannot be read or written; its message says which, where and why."""


class Part(IntEnum):
    """Which part of a record a piece is."""

    WHOLE = 0
    FIRST = 1
    MIDDLE = 2
    LAST = 3


class Frame(NamedTuple):
    """A record's content, its number counted from 0 and the byte it starts at."""

    number: int
    offset: int
    payload: bytes


class Readable(Protocol):
    """What records are read from: an open file, a pipe, the body of an S3 object."""

    def read(self, size: int, /) -> bytes:
        """Up to a number of bytes; none at the end."""
        ...


def frame_record(payload: bytes) -> bytes:
    """The record that holds these bytes."""
    pieces = split_at_magic(payload)
    if len(pieces) == 1:
        return frame_piece(Part.WHOLE, payload)
    first, *middle, last = pieces
    return b"".join(
        [
            frame_piece(Part.FIRST, first),
            *(frame_piece(Part.MIDDLE, piece) for piece in middle),
            frame_piece(Part.LAST, last),
        ]
    )


def split_at_magic(payload: bytes) -> list[bytes]:
    """The pieces between the magic numbers that stand at a multiple of four."""
    pieces, start = [], 0
    found = payload.find(MAGIC)
    while found >= 0:
        if found % ALIGNMENT == 0:
            pieces.append(payload[start:found])
            start = found + len(MAGIC)
        found = payload.find(MAGIC, max(found + 1, start))
    return [*pieces, payload[start:]]


def frame_piece(part: Part, piece: bytes) -> bytes:
    """One part of a record with its header and padding."""
    if len(piece) > LONGEST:
        raise RecordIOError(f"a record of {len(piece):,} bytes; RecordIO holds at most {LONGEST:,} in one, so split it")
    return HEADER.pack(MAGIC, part << LENGTH_BITS | len(piece)) + piece + bytes(-len(piece) % ALIGNMENT)


def name_frame(frame: Frame) -> str:
    """A record for people, as messages begin."""
    return f"record {frame.number} at byte {frame.offset:,}"


def read_frames(stream: Readable) -> Iterator[Frame]:
    """The records of a stream up to its end, split ones put together."""
    frame, size = read_frame(stream, 0, 0)
    while frame:
        yield frame
        frame, size = read_frame(stream, frame.number + 1, frame.offset + size)


def read_frame(stream: Readable, number: int, offset: int) -> tuple[Frame | None, int]:
    """The next record, none at the end, and how many bytes the stream took for it.

    Args:
        stream: Read from where it is.
        number: What the record is counted as.
        offset: The byte it starts at in its file.
    """
    payload, size = read_record(stream, name_frame(Frame(number, offset, b"")))
    return (Frame(number, offset, payload) if size else None), size


def read_record(stream: Readable, where: str) -> tuple[bytes, int]:
    """The next record's bytes and how many the stream took for them; no bytes of none at its end."""
    part, piece, size = read_piece(stream, where)
    if part == Part.WHOLE:
        return piece, size
    if part != Part.FIRST:
        raise RecordIOError(f"{where}: starts with part {part} of a split record; the file is damaged before it")
    pieces = [piece]
    while part != Part.LAST:
        part, piece, piece_size = read_piece(stream, where)
        if part not in (Part.MIDDLE, Part.LAST) or not piece_size:
            raise RecordIOError(f"{where}: is split and its last part is missing; {CUT_SHORT}")
        pieces.append(piece)
        size += piece_size
    return MAGIC.join(pieces), size


CUT_SHORT = "the file is cut short or damaged, so fetch or write it again"


def read_piece(stream: Readable, where: str) -> tuple[int, bytes, int]:
    """Which part comes next, its bytes, and its size with header and padding: 0 at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        header += read_fully(stream, HEADER.size - len(header))
    if not header:
        return Part.WHOLE, b"", 0
    if header[: len(MAGIC)] != MAGIC[: len(header)]:
        raise RecordIOError(
            f"{where}: starts with {header[: len(MAGIC)].hex(' ')}, not with RecordIO's {MAGIC.hex(' ')}; "
            "the file is damaged or of another format"
        )
    if len(header) < HEADER.size:
        raise RecordIOError(f"{where}: ends within its header; {CUT_SHORT}")
    (_, field) = HEADER.unpack(header)
    part, length = field >> LENGTH_BITS, field & LONGEST
    padded = length + -length % ALIGNMENT
    content = read_fully(stream, padded)
    if len(content) < padded:
        raise RecordIOError(f"{where}: has {len(content):,} of its {padded:,} bytes; {CUT_SHORT}")
    return part, content if length == padded else content[:length], HEADER.size + padded


def read_fully(stream: Readable, size: int) -> bytes:
    """A number of bytes, or all that are left."""
    content = stream.read(min(size, READ_BYTES))
    if len(content) == size or not content:
        return content
    blocks, missing = [content], size - len(content)
    while missing and (content := stream.read(min(missing, READ_BYTES))):
        blocks.append(content)
        missing -= len(content)
    return b"".join(blocks)
