"""Reading from a header what decoding would cost, before a decoder sees it.

Decoders allocate before they ask, and Pillow walks through the parts of a file in Python: a hostile file of millions
of tiny parts would keep it busy for a minute.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from .errors import ImageCorruptError, ImageTruncatedError, TooComplexError

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
# The frame headers of all the processes that JPEG knows; the others of the range are tables.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE_FRAMES: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# A marker with a length; in coded data 0xff is followed by 0 or by a restart marker.
_SEGMENT: Final = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")

# Ordinary files have fewer than a hundred, and no bytes in between.
_MOST_JPEG_SEGMENTS: Final = 4096
_MOST_JPEG_JUNK: Final = 64 * 1024
# Chunks of 2 KiB in a file of the largest size; encoders write 8 KiB and more.
_MOST_PNG_CHUNKS: Final = 16 * 1024
_MOST_TIFF_PIECES: Final = 64 * 1024
_TIFF_OFFSETS: Final = (0x0111, 0x0144)
# Pillow's run-length decoder is written in Python.
_MOST_BMP_RUN_BYTES: Final = 2 * 1024 * 1024
_GIF_HEADER_BYTES: Final = 256 * 1024
_GIF_IMAGE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21

Size = tuple[int, int]


class JpegHeader(NamedTuple):
    """What a JPEG declares before its first scan ends.

    Args:
        size: Width and height.
        coefficient_bytes: What the decoder holds until the last scan; nothing where one scan has everything.
        scans: How many scans there are; 1 where one has everything.
    """

    size: Size
    coefficient_bytes: int
    scans: int


def read_jpeg_header(image_bytes: bytes) -> JpegHeader:
    """The size of a JPEG, and what decoding all its scans would need."""
    frame = None
    position = 2
    segments = junk = 0
    while match := _SEGMENT.search(image_bytes, position):
        marker = match[1][0]
        if marker == _START_OF_SCAN and frame:
            return _describe_jpeg(image_bytes, frame, match)
        if marker in _FRAMES:
            frame = match
        segments += 1
        junk += match.start() - position
        if segments > _MOST_JPEG_SEGMENTS or junk > _MOST_JPEG_JUNK:
            raise TooComplexError("the JPEG has too many parts or stray bytes before its first scan")
        position = _skip_segment(image_bytes, match)
    raise ImageTruncatedError("the JPEG ends before its first scan")


def read_webp_size(image_bytes: bytes) -> Size:
    """Width and height of a WebP's canvas."""
    kind = image_bytes[12:16]
    try:
        if kind == b"VP8X":
            width, height = (int.from_bytes(image_bytes[at : at + 3], "little") + 1 for at in (24, 27))
            return width, height
        if kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", image_bytes, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", image_bytes, 26)
            return width & 0x3FFF, height & 0x3FFF
    except struct.error:
        raise ImageTruncatedError("the WebP ends within its header") from None
    raise ImageCorruptError("the WebP begins with an unknown chunk")


def read_gif_size(image_bytes: bytes) -> Size:
    """Width and height that a GIF's screen and its first frame need together."""
    header = image_bytes[:_GIF_HEADER_BYTES]
    try:
        width, height, flags = struct.unpack_from("<HHB", header, 6)
        position = _skip_gif_extensions(header, 13 + _size_of_palette(flags))
        left, top, frame_width, frame_height = struct.unpack_from("<HHHH", header, position + 1)
    except (struct.error, IndexError):
        raise ImageTruncatedError("the GIF ends before its first frame") from None
    return max(width, left + frame_width), max(height, top + frame_height)


def check_png_chunks(image_bytes: bytes) -> None:
    """Refuse a PNG of very many chunks."""
    position = 8
    for _ in range(_MOST_PNG_CHUNKS):
        if position >= len(image_bytes):
            return
        position += 12 + int.from_bytes(image_bytes[position : position + 4], "big")
    raise TooComplexError(f"the PNG has more than {_MOST_PNG_CHUNKS} chunks")


def check_tiff_pieces(image_bytes: bytes) -> None:
    """Refuse a TIFF whose first image is in very many strips or tiles."""
    for tag, count, _ in read_tiff_entries(image_bytes):
        if tag in _TIFF_OFFSETS and count > _MOST_TIFF_PIECES:
            raise TooComplexError(f"the TIFF has {count} strips or tiles, more than {_MOST_TIFF_PIECES}")


def check_bmp_runs(image_bytes: bytes) -> None:
    """Refuse a large BMP whose pixels are compressed in runs."""
    compression = int.from_bytes(image_bytes[30:34], "little")
    if compression in (1, 2) and len(image_bytes) > _MOST_BMP_RUN_BYTES:
        raise TooComplexError(f"the BMP has runs in more than {_MOST_BMP_RUN_BYTES} bytes; send it uncompressed")


def read_tiff_entries(block: bytes) -> Iterator[tuple[int, int, int]]:
    """The entries of the first directory of a TIFF or of a block of EXIF, up to where it is damaged.

    Each is its tag, how many values it has, and the first of them where it is a short number stored in place.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    try:
        (offset,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, offset)
        for entry in range(entries):
            tag, count, value = struct.unpack_from(f"{order}H2xIH", block, offset + 2 + 12 * entry)
            yield tag, count, value
    except struct.error:
        return


def _describe_jpeg(image_bytes: bytes, frame: re.Match[bytes], scan: re.Match[bytes]) -> JpegHeader:
    try:
        height, width, components = struct.unpack_from(">HHB", image_bytes, frame.end() + 3)
        samplings = [image_bytes[frame.end() + 9 + 3 * number] for number in range(components)]
        components_of_scan = image_bytes[scan.end() + 2]
    except (struct.error, IndexError):
        raise ImageTruncatedError("the JPEG ends within its header") from None
    if frame[1][0] not in _PROGRESSIVE_FRAMES and components_of_scan >= components:
        return JpegHeader((width, height), 0, 1)
    return JpegHeader(
        (width, height), 2 * _count_samples(width, height, samplings), _count_scans(image_bytes, scan.start())
    )


def _count_samples(width: int, height: int, samplings: list[int]) -> int:
    """Samples of all components, as their horizontal and vertical sampling factors say, in blocks of 8 x 8."""
    factors = [(sampling >> 4, sampling & 15) for sampling in samplings]
    across = max((horizontal for horizontal, _ in factors), default=1) or 1
    down = max((vertical for _, vertical in factors), default=1) or 1
    blocks = -(-width // (8 * across)) * -(-height // (8 * down))
    return 64 * blocks * sum(horizontal * vertical for horizontal, vertical in factors)


def _count_scans(image_bytes: bytes, position: int) -> int:
    scans = 0
    while match := _SEGMENT.search(image_bytes, position):
        marker = match[1][0]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        position = _skip_segment(image_bytes, match)
    return scans


def _skip_segment(image_bytes: bytes, match: re.Match[bytes]) -> int:
    return match.end() + int.from_bytes(image_bytes[match.end() : match.end() + 2], "big")


def _size_of_palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_gif_extensions(header: bytes, position: int) -> int:
    """Where the first frame's descriptor begins."""
    while header[position] != _GIF_IMAGE:
        if header[position] != _GIF_EXTENSION:
            raise ImageCorruptError("the GIF has no frame where one should begin")
        position += 2
        while length := header[position]:
            position += 1 + length
        position += 1
    return position
