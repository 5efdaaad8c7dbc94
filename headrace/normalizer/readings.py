"""What Pillow would read otherwise than a file means it, or not at all, though it could."""

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL.Image import Image
from PIL.ImageFile import ImageFile

from headrace.normalizer.errors import UnsupportedFormatError

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

_ORIENTATION: Final = 0x0112
_TURNED: Final = range(2, 9)
_PHOTOMETRIC: Final = 0x0106
_WHITE_IS_ZERO: Final = 0
_SAMPLE_FORMAT: Final = 0x0153
_SIGNED: Final = 2
_MOST_DEEP_GREY: Final = 0xFFFF
# By Pillow's names of a PNG's grey, what makes its greatest value 255.
_PNG_FEW_BITS: Final = {"L;2": 85, "L;4": 17}

_BMP_HEADERS_OF_COLOURS: Final = (40, 52)
_BMP_HEADERS_OF_ALPHA: Final = (56, 108, 124)
_BMP_FIELDS: Final = (32, 3)
_BMP_MASKS_AT: Final = 54
# Of the masks for red, green, blue and alpha, what a mask of one byte says of its place in a pixel.
_BMP_PLACES: Final = {0xFF: 0, 0xFF00: 1, 0xFF0000: 2, 0xFF000000: 3}
_BMP_USUAL_MASKS: Final = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)

Box = tuple[int, int, int, int]


class Levels(NamedTuple):
    """What turns stored grey into 16 bits of which 0 is black."""

    factor: int = 1
    offset: int = 0

    def apply(self, image: Image) -> Image:
        """The photograph as it is meant."""
        if self == Levels():
            return image
        return image.point(lambda value: value * self.factor + self.offset)


def read_tiff_levels(image: "TiffImageFile") -> Levels:
    """How the grey of a TIFF of more than 8 bits is meant.

    Raises:
        UnsupportedFormatError: If its numbers have a sign.
    """
    if _SIGNED in image.tag_v2.get(_SAMPLE_FORMAT, ()):
        raise UnsupportedFormatError("numbers with a sign have no known range; send 8 or 16 bits a channel without one")
    if not image.mode.startswith("I;16"):
        return Levels()
    if "I;12" in (image.tile[0].args or ()):
        return Levels(factor=16)
    is_inverted = image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return Levels(-1, _MOST_DEEP_GREY) if is_inverted else Levels()


def is_turned_by_pillow(image: "TiffImageFile") -> bool:
    """Whether Pillow will turn a TIFF when it loads it."""
    return image.getexif().get(_ORIENTATION) in _TURNED


def scale_transparent_colour(image: ImageFile) -> None:
    """Let Pillow find a PNG's transparent colour by 8 bits, which is what it makes of 2, 4 and 16."""
    transparent = image.info.get("transparency")
    raw_mode = str(image.tile[0].args)
    if isinstance(transparent, int) and raw_mode in _PNG_FEW_BITS:
        image.info["transparency"] = transparent * _PNG_FEW_BITS[raw_mode]
    elif isinstance(transparent, int) and raw_mode == "I;16B":
        image.info["transparency"] = transparent >> 8
        # The mode decides what the decoder makes; deep grey has no transparency.
        image._mode = "L"
        image.tile = [image.tile[0]._replace(args="L;16B")]
    elif isinstance(transparent, tuple) and raw_mode == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparent)


def read_covered_box(image: ImageFile) -> Box | None:
    """The part of a GIF's screen that its first frame covers, if that is not all."""
    extents = image.tile[0].extents
    return None if extents == (0, 0, *image.size) else extents


def order_bmp_fields(photograph: bytes) -> bytes:
    """A BMP of four bytes a pixel with these in the usual order; any other BMP as it is."""
    try:
        (start,) = struct.unpack_from("<I", photograph, 10)
        (header_bytes,) = struct.unpack_from("<I", photograph, 14)
        kind = struct.unpack_from("<HI", photograph, 28)
        masks = struct.unpack_from("<4I", photograph, _BMP_MASKS_AT)
    except struct.error:
        return photograph
    if header_bytes in _BMP_HEADERS_OF_COLOURS or masks[3] == 0:
        masks = masks[:3]
    elif header_bytes not in _BMP_HEADERS_OF_ALPHA:
        return photograph
    usual = _BMP_USUAL_MASKS[: len(masks)]
    is_of_bytes = len(set(masks)) == len(masks) and _BMP_PLACES.keys() >= set(masks)
    if kind != _BMP_FIELDS or masks == usual or not is_of_bytes:
        return photograph
    ordered = bytearray(photograph)
    end = start + (len(photograph) - start) // 4 * 4
    for mask, usual_mask in zip(masks, usual, strict=True):
        ordered[start + _BMP_PLACES[usual_mask] : end : 4] = photograph[start + _BMP_PLACES[mask] : end : 4]
    struct.pack_into(f"<{len(masks)}I", ordered, _BMP_MASKS_AT, *usual)
    return bytes(ordered)
