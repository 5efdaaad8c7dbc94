"""Which way up a photograph was when its boxes were counted.

A camera that is held upright stores its pixels lying down, and says so in EXIF. Most tools show such a photograph
upright and count boxes there; some count them in the pixels as they are stored. The size that comes with the boxes says
which: the sides of one are those of the other, swapped.
"""

from headrace.manifest.records import ManifestError
from headrace.normalizer.orientation import Orientation

Size = tuple[float, float]
# Left, top, right and bottom, as parts of a photograph.
Sides = tuple[float, float, float, float]


def is_counted_in_stored_pixels(size: Size, stored: Size, orientation: Orientation) -> bool:
    """Whether boxes were counted in the pixels as they are stored, and not upright as the photograph is shown.

    Where both would have the same sides, boxes count as those of the photograph upright.

    Args:
        size: Width and height that the boxes were counted in; those of a larger or smaller copy will do.
        stored: Width and height of the stored pixels.
        orientation: How the photograph wants to be turned.

    Raises:
        ManifestError: If the sizes are of two different shapes, and so the boxes are of another photograph.

    Example:
        >>> is_counted_in_stored_pixels((480, 640), (640, 480), Orientation.RIGHT_TOP)
        False
    """
    shown = stored[::-1] if orientation.swaps_sides else stored
    if _has_shape(size, shown):
        return False
    if _has_shape(size, stored):
        return True
    raise ManifestError(
        f"its boxes are counted in an image of {size[0]:g} x {size[1]:g}, and the photograph has "
        f"{shown[0]:g} x {shown[1]:g}; correct image_size and the boxes, or label it again"
    )


def turn_upright(sides: Sides, orientation: Orientation) -> Sides:
    """Where a box of stored pixels is in the photograph upright, for orientations that swap the sides.

    Example:
        >>> turn_upright((0.0, 0.25, 0.5, 1.0), Orientation.RIGHT_TOP)
        (0.0, 0.0, 0.75, 0.5)
    """
    left, top, right, bottom = sides
    match orientation:
        case Orientation.LEFT_TOP:
            return top, left, bottom, right
        case Orientation.RIGHT_TOP:
            return 1 - bottom, left, 1 - top, right
        case Orientation.RIGHT_BOTTOM:
            return 1 - bottom, 1 - right, 1 - top, 1 - left
        case Orientation.LEFT_BOTTOM:
            return top, 1 - right, bottom, 1 - left
    return sides


def _has_shape(one: Size, other: Size) -> bool:
    """Whether one size is the other, made larger or smaller and rounded to whole pixels."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(*one, *other)
