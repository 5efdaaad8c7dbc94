"""Which part of a photograph goes where in the result."""

from collections.abc import Callable
from typing import Final, NamedTuple

from PIL.Image import Image, Resampling

from headrace.normalizer.options import Fit

# Scaled JPEG decoding blurs; twice the size leaves the last step enough to be close to the whole photograph's average.
_DECODING_FACTOR: Final = 2
# Pillow's box filter counts a pixel on the edge of a cell wholly to one side. From this many pixels per cell on that
# weighs less than the softness of the Hamming filter; measured against exact areas (docs/normalizer-measurements.md).
_BOX_FROM: Final = 3.5
# Pillow weighs every source pixel of a row or a column for each pixel of the result it counts for: two at most.
_WEIGHT_BYTES: Final = 16

Size = tuple[int, int]
# The filter for a number of pixels that become another.
ChooseFilter = Callable[[float, int], Resampling]


class Layout(NamedTuple):
    """A part of a photograph, in fractions of its width and height, and the size it is resampled to.

    One axis comes after the other: the width first, or else the height.
    """

    left: float
    top: float
    right: float
    bottom: float
    size: Size
    is_height_first: bool = False

    @property
    def decoding_size(self) -> Size:
        """The least size of the whole photograph that this can be resampled from without visible loss."""
        width, height = self.size
        return (
            max(1, round(_DECODING_FACTOR * width / (self.right - self.left))),
            max(1, round(_DECODING_FACTOR * height / (self.bottom - self.top))),
        )


def plan_layout(source: Size, target: Size, fit: Fit) -> Layout:
    """What to do with a photograph of the source's size for a result of the target's.

    With CONTAIN the resampled part is smaller than the target, and the rest is for bars.
    """
    across, down = target[0] / source[0], target[1] / source[1]
    if fit is Fit.STRETCH:
        return Layout(0, 0, 1, 1, target)
    if fit is Fit.CONTAIN:
        ratio = min(across, down)
        return Layout(0, 0, 1, 1, (max(1, round(source[0] * ratio)), max(1, round(source[1] * ratio))))
    ratio = max(across, down)
    cut_across, cut_down = (1 - across / ratio) / 2, (1 - down / ratio) / 2
    return Layout(cut_across, cut_down, 1 - cut_across, 1 - cut_down, target)


def choose_filter(source: float, target: int) -> Resampling:
    """What comes closest to the average of areas."""
    return Resampling.BOX if source >= _BOX_FROM * target else Resampling.HAMMING


def resample(image: Image, layout: Layout, choose: ChooseFilter = choose_filter) -> Image:
    """The layout's part of a photograph in the layout's size: every pixel is near the average of the area it covers."""
    if layout.is_height_first:
        return _resample_width(_resample_height(image, layout, choose), layout, choose)
    return _resample_height(_resample_width(image, layout, choose), layout, choose)


def count_resampling(source: Size, bytes_per_pixel: int, layout: Layout) -> int:
    """The bytes that resampling takes beside the photograph: what is between the axes, the result and the weights."""
    width, height = layout.size
    between = source[0] * height if layout.is_height_first else width * source[1]
    weights = _WEIGHT_BYTES * (sum(source) + 2 * (width + height))
    return (between + width * height) * bytes_per_pixel + weights


def _resample_width(image: Image, layout: Layout, choose: ChooseFilter) -> Image:
    left, right, width = image.width * layout.left, image.width * layout.right, layout.size[0]
    return image.resize((width, image.height), choose(right - left, width), (left, 0, right, image.height))


def _resample_height(image: Image, layout: Layout, choose: ChooseFilter) -> Image:
    top, bottom, height = image.height * layout.top, image.height * layout.bottom, layout.size[1]
    return image.resize((image.width, height), choose(bottom - top, height), (0, top, image.width, bottom))
