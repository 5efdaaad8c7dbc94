"""The parts of a file that its pixels need, without those that only describe them.

The descriptions are not used here, but Pillow parses them all: damaged ones would end a good photograph, long ones take
memory, and text of a PNG may call itself by any name of Pillow's own. EXIF is the exception: it has the orientation.
For a grey result, the scans of a JPEG that have nothing but colour count as descriptions: libjpeg decodes them in vain.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from headrace.normalizer.headers import (
    FRAMES,
    PROGRESSIVE_FRAMES,
    START_OF_SCAN,
    Part,
    find_jpeg_segments,
    find_later_jpeg_segments,
    find_png_chunks,
)

_PNG_SIGNATURE_BYTES: Final = 8
_PNG_CHECKSUM_BYTES: Final = 4
_PNG_PIXEL_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_EXIF: Final = b"eXIf"
_JPEG_START_BYTES: Final = 2
_JPEG_EXIF_SEGMENT: Final = b"\xe1"
_JPEG_COMMENT: Final = 0xFE
_JPEG_APPLICATIONS: Final = range(0xE0, 0xF0)
_JFIF: Final = b"\xe0"
_ADOBE: Final = b"\xee"
# Two descriptions say what the channels are, if they are as long as the JPEG decoder wants them.
_JPEG_COLOUR_SEGMENTS: Final = {_JFIF: (b"JFIF", 14), _ADOBE: (b"Adobe", 12)}
_EXIF_PREFIX: Final = b"Exif\0\0"
_ADOBE_TRANSFORM_AT: Final = 11
_ADOBE_YCBCR: Final = 1
_COMPONENTS_OF_COLOUR: Final = 3


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
    kept = [chunk for chunk in chunks if chunk.kind in _PNG_PIXEL_CHUNKS]
    exif = next((chunk for chunk in chunks if chunk.kind == _PNG_EXIF), None)
    block = photograph[exif.content : exif.end - _PNG_CHECKSUM_BYTES] if exif else b""
    return PixelParts(_join(photograph, _PNG_SIGNATURE_BYTES, kept), block)


def select_jpeg_parts(photograph: bytes, *, is_grey: bool = False) -> PixelParts:
    """What a JPEG's pixels need, or their brightness alone."""
    *segments, scan = find_jpeg_segments(photograph)
    kept = [segment for segment in segments if _is_for_pixels(photograph, segment)]
    cuts = list(_find_colour_scans(photograph, kept, scan)) if is_grey else []
    starts, ends = [scan.start, *(cut.end for cut in cuts)], [*(cut.start for cut in cuts), len(photograph)]
    rest = [scan._replace(start=start, end=end) for start, end in zip(starts, ends, strict=True)]
    return PixelParts(_join(photograph, _JPEG_START_BYTES, [*kept, *rest]), b"".join(_find_exif(photograph, segments)))


def _find_colour_scans(photograph: bytes, segments: list[Part], first_scan: Part) -> Iterator[Part]:
    """The scans, each with its coded data, that say nothing of the brightness."""
    frame = next(segment for segment in reversed(segments) if segment.kind[0] in FRAMES)
    is_progressive = frame.kind[0] in PROGRESSIVE_FRAMES
    has_one_scan = not is_progressive and photograph[first_scan.content] >= _COMPONENTS_OF_COLOUR
    components = photograph[frame.content + 6 : frame.end : 3]
    if has_one_scan or not _has_brightness_apart(photograph, segments, components):
        return
    end = first_scan._replace(start=len(photograph))
    for part, following in pairwise([*find_later_jpeg_segments(photograph, first_scan.start), end]):
        if part.kind[0] != START_OF_SCAN:
            continue
        content = photograph[part.content : part.end]
        names, first_coefficient = set(content[1:-3:2]), content[-3:-2]
        # Without the averages of blocks, the decoder smooths otherwise.
        is_kept = is_progressive and first_coefficient == b"\0"
        if names and names <= set(components[1:]) and not is_kept:
            yield part._replace(end=following.start)


def _has_brightness_apart(photograph: bytes, segments: Iterable[Part], components: bytes) -> bool:
    """Whether the first of three components is the brightness, by the rules of libjpeg."""
    if len(set(components)) != _COMPONENTS_OF_COLOUR or len(components) != _COMPONENTS_OF_COLOUR:
        return False
    kinds = {segment.kind: segment for segment in segments}
    if _JFIF in kinds:
        return True
    if _ADOBE in kinds:
        return photograph[kinds[_ADOBE].content + _ADOBE_TRANSFORM_AT] == _ADOBE_YCBCR
    return components != b"RGB"


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


def _join(photograph: bytes, start_bytes: int, parts: Sequence[Part]) -> bytes:
    """The start and these parts of a file; the file itself, not a copy, where that is all of it."""
    length = start_bytes + sum(part.end - part.start for part in parts)
    if length == len(photograph) and parts and parts[-1].end == length:
        return photograph
    view = memoryview(photograph)
    return b"".join([view[:start_bytes], *(view[part.start : part.end] for part in parts)])
