"""The parts of a file that its pixels need, without those that only describe them.

The descriptions are not used here, but Pillow parses them all: damaged ones would end a good photograph, long ones take
memory, and text of a PNG may call itself by any name of Pillow's own. EXIF is the exception: it has the orientation.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from headrace.normalizer.headers import Part, find_jpeg_segments, find_png_chunks

_PNG_SIGNATURE_BYTES: Final = 8
_PNG_CHECKSUM_BYTES: Final = 4
_PNG_PIXEL_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_EXIF: Final = b"eXIf"
_JPEG_START_BYTES: Final = 2
_JPEG_EXIF_SEGMENT: Final = b"\xe1"
_JPEG_COMMENT: Final = 0xFE
_JPEG_APPLICATIONS: Final = range(0xE0, 0xF0)
# Two descriptions say what the channels are, if they are as long as the JPEG decoder wants them.
_JPEG_COLOUR_SEGMENTS: Final = {b"\xe0": (b"JFIF", 14), b"\xee": (b"Adobe", 12)}
_EXIF_PREFIX: Final = b"Exif\0\0"


class PixelParts(NamedTuple):
    """A file without descriptions, and its EXIF.

    Args:
        photograph: The file.
        exif: A block of EXIF as in a TIFF; empty where there is none.
    """

    photograph: bytes
    exif: bytes


def select_png_parts(photograph: bytes) -> PixelParts:
    """What a PNG's pixels need."""
    chunks = list(find_png_chunks(photograph))
    kept = (chunk for chunk in chunks if chunk.kind in _PNG_PIXEL_CHUNKS)
    exif = next((chunk for chunk in chunks if chunk.kind == _PNG_EXIF), None)
    block = photograph[exif.content : exif.end - _PNG_CHECKSUM_BYTES] if exif else b""
    return PixelParts(_join(photograph, _PNG_SIGNATURE_BYTES, kept), block)


def select_jpeg_parts(photograph: bytes) -> PixelParts:
    """What a JPEG's pixels need."""
    *segments, scan = find_jpeg_segments(photograph)
    kept = [segment for segment in segments if _is_for_pixels(photograph, segment)]
    rest = scan._replace(end=len(photograph))
    return PixelParts(_join(photograph, _JPEG_START_BYTES, [*kept, rest]), b"".join(_find_exif(photograph, segments)))


def _find_exif(photograph: bytes, segments: Iterable[Part]) -> Iterator[bytes]:
    """The pieces of EXIF: a segment holds 64 KiB at most."""
    for segment in segments:
        if segment.kind == _JPEG_EXIF_SEGMENT and photograph.startswith(_EXIF_PREFIX, segment.content):
            yield photograph[segment.content + len(_EXIF_PREFIX) : segment.end]


def _is_for_pixels(photograph: bytes, segment: Part) -> bool:
    if segment.kind in _JPEG_COLOUR_SEGMENTS:
        name, least_bytes = _JPEG_COLOUR_SEGMENTS[segment.kind]
        is_long = segment.end - segment.content >= least_bytes
        return is_long and photograph.startswith(name, segment.content)
    return segment.kind[0] not in _JPEG_APPLICATIONS and segment.kind[0] != _JPEG_COMMENT


def _join(photograph: bytes, start_bytes: int, parts: Iterable[Part]) -> bytes:
    view = memoryview(photograph)
    return b"".join([view[:start_bytes], *(view[part.start : part.end] for part in parts)])
