"""Reading from a header what decoding would cost, before a decoder sees it.

Decoders allocate before they ask, and Pillow walks through the parts of a file in Python: a hostile file of millions
of tiny parts would keep it busy for a minute.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from headrace.normalizer.errors import PhotographCorruptError, PhotographTruncatedError, TooComplexError

START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
# The frame headers of all the processes that JPEG knows; the others of the range are tables.
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE_FRAMES: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_LOSSLESS_FRAMES: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
# A marker with a length; in coded data 0xff is followed by 0 or by a restart marker.
_SEGMENT: Final = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")

# Ordinary files have fewer than a hundred, and no bytes in between.
_MOST_JPEG_SEGMENTS: Final = 4096
_MOST_JPEG_JUNK: Final = 64 * 1024
# Chunks of 2 KiB in a file of the largest size; encoders write 8 KiB and more.
_MOST_PNG_CHUNKS: Final = 16 * 1024
_MOST_TIFF_PIECES: Final = 64 * 1024
_TIFF_OFFSETS: Final = (0x0111, 0x0144)
# Its types of whole numbers, any of which its decoder takes for any number.
_TIFF_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}
_TIFF_UNCOMPRESSED: Final = 1
# The JPEG decoder within may keep as much again until the last scan.
_TIFF_JPEG: Final = frozenset({6, 7})
# Pillow's run-length decoder is written in Python, and keeps two copies of the pixels, one of them with room to grow.
_MOST_BMP_RUN_BYTES: Final = 2 * 1024 * 1024
_BMP_RUN_BYTES_PER_PIXEL: Final = 3
_GIF_HEADER_BYTES: Final = 256 * 1024
_GIF_IMAGE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21

Size = tuple[int, int]


class Part(NamedTuple):
    """A segment of a JPEG or a chunk of a PNG: what it is, and where it and its content begin and end."""

    kind: bytes
    start: int
    content: int
    end: int


class JpegHeader(NamedTuple):
    """What a JPEG declares before its first scan ends.

    Args:
        size: Width and height.
        coefficient_bytes: What the decoder holds until the last scan; nothing where one scan has everything.
        scans: How many scans there are; 1 where one has everything.
        is_lossless: Whether its decoder can neither scale nor change colours.
    """

    size: Size
    coefficient_bytes: int
    scans: int
    is_lossless: bool


def find_jpeg_segments(photograph: bytes) -> Iterator[Part]:
    """The segments of a JPEG up to its first scan, which is the last of them."""
    position = 2
    segments = junk = 0
    has_frame = False
    while match := _SEGMENT.search(photograph, position):
        marker = match[1][0]
        segments += 1
        junk += match.start() - position
        if segments > _MOST_JPEG_SEGMENTS or junk > _MOST_JPEG_JUNK:
            raise TooComplexError("the JPEG has too many parts or stray bytes before its first scan")
        position = _skip_segment(photograph, match)
        yield Part(match[1], match.start(), match.end() + 2, position)
        if marker == START_OF_SCAN and has_frame:
            return
        has_frame = has_frame or marker in FRAMES
    raise PhotographTruncatedError("the JPEG ends before its first scan")


def read_jpeg_header(photograph: bytes) -> JpegHeader:
    """The size of a JPEG, and what decoding all its scans would need."""
    segments = list(find_jpeg_segments(photograph))
    frame = next(segment for segment in reversed(segments) if segment.kind[0] in FRAMES)
    return _describe_jpeg(photograph, frame, segments[-1])


def find_later_jpeg_segments(photograph: bytes, position: int) -> Iterator[Part]:
    """The segments of a JPEG from this position on, with its end or up to the file's; coded data lie between them."""
    for _ in range(_MOST_JPEG_SEGMENTS):
        match = _SEGMENT.search(photograph, position)
        if match is None:
            return
        if match[1][0] == _END_OF_IMAGE:
            yield Part(match[1], match.start(), match.end(), match.end())
            return
        position = _skip_segment(photograph, match)
        yield Part(match[1], match.start(), match.end() + 2, position)
    raise TooComplexError("the JPEG has too many parts after its first scan")


def read_webp_size(photograph: bytes) -> Size:
    """Width and height of a WebP's canvas."""
    kind = photograph[12:16]
    try:
        if kind == b"VP8X":
            width, height = (int.from_bytes(photograph[at : at + 3], "little") + 1 for at in (24, 27))
            return width, height
        if kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", photograph, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", photograph, 26)
            return width & 0x3FFF, height & 0x3FFF
    except struct.error:
        raise PhotographTruncatedError("the WebP ends within its header") from None
    raise PhotographCorruptError("the WebP begins with an unknown chunk")


def read_gif_size(photograph: bytes) -> Size:
    """Width and height that a GIF's screen and its first frame need together."""
    header = photograph[:_GIF_HEADER_BYTES]
    try:
        width, height, flags = struct.unpack_from("<HHB", header, 6)
        position = _skip_gif_extensions(header, 13 + _size_of_palette(flags))
        left, top, frame_width, frame_height = struct.unpack_from("<HHHH", header, position + 1)
    except (struct.error, IndexError):
        raise PhotographTruncatedError("the GIF ends before its first frame") from None
    return max(width, left + frame_width), max(height, top + frame_height)


def find_png_chunks(photograph: bytes) -> Iterator[Part]:
    """The chunks of a PNG up to its end or to the file's."""
    position = 8
    for _ in range(_MOST_PNG_CHUNKS):
        if position >= len(photograph):
            return
        length, kind = int.from_bytes(photograph[position : position + 4]), photograph[position + 4 : position + 8]
        chunk = Part(kind, position, position + 8, position + 12 + length)
        yield chunk
        if kind == b"IEND":
            return
        position = chunk.end
    raise TooComplexError(f"the PNG has more than {_MOST_PNG_CHUNKS} chunks")


def count_tiff_piece_bytes(photograph: bytes) -> int:
    """What the decoder of a compressed TIFF holds beside the pixels: a strip or a tile.

    Raises:
        TooComplexError: If there are very many of them.
    """
    values: dict[int, int] = {}
    for tag, count, value in read_tiff_entries(photograph):
        if tag in _TIFF_OFFSETS and count > _MOST_TIFF_PIECES:
            raise TooComplexError(f"the TIFF has {count} strips or tiles, more than {_MOST_TIFF_PIECES}")
        values.setdefault(tag, value)
    compression = values.get(0x0103, _TIFF_UNCOMPRESSED)
    if compression == _TIFF_UNCOMPRESSED:
        return 0
    height = values.get(0x0101, 0)
    strip = values.get(0x0100, 0) * min(height, values.get(0x0116, height))
    tile = values.get(0x0142, 0) * values.get(0x0143, 0)
    bits = max(values.get(0x0102, 1), 8) * max(values.get(0x0115, 1), 1)
    return max(strip, tile, 0) * bits // 8 * (2 if compression in _TIFF_JPEG else 1)


def count_bmp_run_bytes(photograph: bytes) -> int:
    """What the decoder of a BMP holds beside the pixels, which is much where these are compressed in runs.

    Raises:
        TooComplexError: If the runs are long.
    """
    compression = int.from_bytes(photograph[30:34], "little")
    if compression not in (1, 2):
        return 0
    if len(photograph) > _MOST_BMP_RUN_BYTES:
        raise TooComplexError(f"the BMP has runs in more than {_MOST_BMP_RUN_BYTES} bytes; send it uncompressed")
    width, height = (int.from_bytes(photograph[at : at + 4], "little", signed=True) for at in (18, 22))
    return abs(width * height) * _BMP_RUN_BYTES_PER_PIXEL


def read_tiff_entries(block: bytes) -> Iterator[tuple[int, int, int]]:
    """The entries of the first directory of a TIFF or of a block of EXIF, up to where it is damaged.

    Each is its tag, how many values it has, and the first of them where they are whole numbers.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    try:
        (offset,) = struct.unpack_from(f"{order}I", block, 4)
        (entries,) = struct.unpack_from(f"{order}H", block, offset)
        for start in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, kind, count, place = struct.unpack_from(f"{order}HHII", block, start)
            number = struct.Struct(f"{order}{_TIFF_NUMBERS.get(kind, 'H')}")
            at = place if count * number.size > 4 and kind in _TIFF_NUMBERS else start + 8
            yield tag, count, number.unpack_from(block, at)[0]
    except struct.error:
        return


def _describe_jpeg(photograph: bytes, frame: Part, scan: Part) -> JpegHeader:
    try:
        height, width, components = struct.unpack_from(">HHB", photograph, frame.content + 1)
        samplings = [photograph[frame.content + 7 + 3 * number] for number in range(components)]
        components_of_scan = photograph[scan.content]
    except (struct.error, IndexError):
        raise PhotographTruncatedError("the JPEG ends within its header") from None
    is_lossless = frame.kind[0] in _LOSSLESS_FRAMES
    if frame.kind[0] not in PROGRESSIVE_FRAMES and components_of_scan >= components:
        return JpegHeader((width, height), 0, 1, is_lossless)
    coefficients = 2 * _count_samples(width, height, samplings)
    scans = sum(part.kind[0] == START_OF_SCAN for part in find_later_jpeg_segments(photograph, scan.start))
    return JpegHeader((width, height), coefficients, scans, is_lossless)


def _count_samples(width: int, height: int, samplings: list[int]) -> int:
    """Samples of all components, as their horizontal and vertical sampling factors say, in blocks of 8 x 8."""
    factors = [(sampling >> 4, sampling & 15) for sampling in samplings]
    across = max((horizontal for horizontal, _ in factors), default=1) or 1
    down = max((vertical for _, vertical in factors), default=1) or 1
    blocks = -(-width // (8 * across)) * -(-height // (8 * down))
    return 64 * blocks * sum(horizontal * vertical for horizontal, vertical in factors)


def _skip_segment(photograph: bytes, match: re.Match[bytes]) -> int:
    return match.end() + int.from_bytes(photograph[match.end() : match.end() + 2], "big")


def _size_of_palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_gif_extensions(header: bytes, position: int) -> int:
    """Where the first frame's descriptor begins."""
    while header[position] != _GIF_IMAGE:
        if header[position] != _GIF_EXTENSION:
            raise PhotographCorruptError("the GIF has no frame where one should begin")
        position += 2
        while length := header[position]:
            position += 1 + length
        position += 1
    return position
