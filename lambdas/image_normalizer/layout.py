"""Which part of an image goes where in the result."""

from typing import Final, NamedTuple

from PIL.Image import Image, Resampling

from .options import Fit

# Scaled JPEG decoding blurs; twice the size leaves the last step enough to be close to the whole image's average.
_DECODING_FACTOR: Final = 2
# Pillow's box filter counts a pixel on the edge of a cell wholly to one side. From so many pixels per cell on that
# weighs less than the softness of the Hamming filter; measured against exact areas (docs/normalizer.md).
_BOX_FROM: Final = 3.5

Size = tuple[int, int]


class Layout(NamedTuple):
    """A part of an image, in fractions of its width and height, and the size it is resampled to."""

    left: float
    top: float
    right: float
    bottom: float
    size: Size

    @property
    def decoding_size(self) -> Size:
        """The least size of the whole image that this can be resampled from without visible loss."""
        width, height = self.size
        return (
            max(1, round(_DECODING_FACTOR * width / (self.right - self.left))),
            max(1, round(_DECODING_FACTOR * height / (self.bottom - self.top))),
        )


def plan_layout(source: Size, target: Size, fit: Fit) -> Layout:
    """What to do with an image of the source's size for a result of the target's.

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


def resample(image: Image, layout: Layout) -> Image:
    """The layout's part of an image in the layout's size: every pixel close to the average of the area it covers."""
    left, right = image.width * layout.left, image.width * layout.right
    top, bottom = image.height * layout.top, image.height * layout.bottom
    width, height = layout.size
    narrow = image.resize((width, image.height), _choose_filter(right - left, width), (left, 0, right, image.height))
    return narrow.resize((width, height), _choose_filter(bottom - top, height), (0, top, width, bottom))


def _choose_filter(source: float, target: int) -> Resampling:
    return Resampling.BOX if source >= _BOX_FROM * target else Resampling.HAMMING
