"""The way a camera was held, from EXIF, and turning a photograph upright."""

from enum import IntEnum
from typing import Final

from PIL.Image import Image, Transpose

from headrace.normalizer.headers import read_tiff_entries

_ORIENTATION_TAG: Final = 0x0112
_EXIF_PREFIX: Final = b"Exif\0\0"


class Orientation(IntEnum):
    """Where the first row and the first column of the stored pixels are in the photograph, as EXIF counts."""

    TOP_LEFT = 1
    TOP_RIGHT = 2
    BOTTOM_RIGHT = 3
    BOTTOM_LEFT = 4
    LEFT_TOP = 5
    RIGHT_TOP = 6
    RIGHT_BOTTOM = 7
    LEFT_BOTTOM = 8

    @property
    def swaps_sides(self) -> bool:
        """Whether the stored width is the photograph's height."""
        return self >= Orientation.LEFT_TOP


_TURNS: Final = {
    Orientation.TOP_RIGHT: Transpose.FLIP_LEFT_RIGHT,
    Orientation.BOTTOM_RIGHT: Transpose.ROTATE_180,
    Orientation.BOTTOM_LEFT: Transpose.FLIP_TOP_BOTTOM,
    Orientation.LEFT_TOP: Transpose.TRANSPOSE,
    Orientation.RIGHT_TOP: Transpose.ROTATE_270,
    Orientation.RIGHT_BOTTOM: Transpose.TRANSVERSE,
    Orientation.LEFT_BOTTOM: Transpose.ROTATE_90,
}


def read_exif_orientation(exif: bytes) -> Orientation:
    """The orientation in a block of EXIF; upright where there is none or the block is damaged.

    Pillow's own reader parses every tag, which costs more than all else on a small photograph.
    """
    for tag, _, value in read_tiff_entries(exif.removeprefix(_EXIF_PREFIX)):
        if tag == _ORIENTATION_TAG:
            return to_orientation(value)
    return Orientation.TOP_LEFT


def to_orientation(value: int) -> Orientation:
    """The orientation of this number; upright where there is none of it."""
    return Orientation(value) if value in tuple(Orientation) else Orientation.TOP_LEFT


def turn_upright(image: Image, orientation: Orientation) -> Image:
    """The photograph as it was seen."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
