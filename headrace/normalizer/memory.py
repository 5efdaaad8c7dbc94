"""What each step of normalizing takes in memory, counted from a photograph's header before any of it is spent."""

from typing import Final, NamedTuple

from headrace.normalizer.layout import Layout, Size, count_resampling
from headrace.normalizer.limits import Limits

# Modes of Pillow's in which a photograph is resampled: 8-bit grey, 16-bit grey, colour, colour times opacity.
GREY: Final = "L"
DEEP_GREY: Final = "I"
RGB: Final = "RGB"
TRANSLUCENT: Final = "RGBa"

# Pillow keeps all other modes in four bytes, RGB among them.
_BYTES_PER_PIXEL: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
_FOUR_BYTES: Final = 4
# The small photograph, turned, on white, in its colours, between bars and encoded; libwebp needs most, measured.
_FINISHING_BYTES_PER_PIXEL: Final = 24


def count_pixel_bytes(size: Size, mode: str) -> int:
    """The bytes of a photograph of this size and mode."""
    return size[0] * size[1] * _BYTES_PER_PIXEL.get(mode, _FOUR_BYTES)


def choose_detour(mode: str, target: str) -> str | None:
    """The mode between these two, where Pillow has no direct way."""
    if target == TRANSLUCENT and mode != "RGBA":
        return "RGBA"
    if target == GREY and mode in ("CMYK", "LAB"):
        return RGB
    return None


class Demand(NamedTuple):
    """What decides how much memory a photograph takes.

    Args:
        size: Its width and height, as it is decoded.
        mode: Pillow's, as it is decoded.
        target: The mode in which it is resampled.
        file_bytes: Its file.
        decoder_bytes: What its decoder holds beside the file and the pixels.
    """

    size: Size
    mode: str
    target: str
    file_bytes: int
    decoder_bytes: int

    def count(self, layout: Layout) -> int:
        """The bytes that are held at a time, at most, until the normalized image is encoded."""
        finishing = self.file_bytes + layout.size[0] * layout.size[1] * _FINISHING_BYTES_PER_PIXEL
        return max(self._count_decoding(), self._count_resampling(layout), finishing)

    def _count_decoding(self) -> int:
        decoded = self.file_bytes + self.decoder_bytes + count_pixel_bytes(self.size, self.mode)
        if self.mode == self.target:
            return decoded
        detour = choose_detour(self.mode, self.target)
        between = count_pixel_bytes(self.size, detour) if detour else 0
        return decoded + between + count_pixel_bytes(self.size, self.target)

    def _count_resampling(self, layout: Layout) -> int:
        # A converted photograph is a new one; the other and its decoder are gone by then.
        held = self.file_bytes + (self.decoder_bytes if self.mode == self.target else 0)
        bytes_per_pixel = count_pixel_bytes((1, 1), self.target)
        return held + count_pixel_bytes(self.size, self.target) + count_resampling(self.size, bytes_per_pixel, layout)


def choose_way(demand: Demand, layout: Layout, limits: Limits) -> tuple[str, Layout]:
    """The mode in which a photograph is resampled and the order of the axes, such that there is room.

    The first way is the usual one, of which the others differ by a grey level here and there: the height first, and
    colours kept until the photograph is small.

    Raises:
        PhotographTooLargeError: If there is room for none.
    """
    demands = [demand]
    if (demand.mode, demand.target) == (RGB, GREY):
        demands.append(demand._replace(target=RGB))
    ways = [(each, order) for each in demands for order in (layout, layout._replace(is_height_first=True))]
    needs = [each.count(order) for each, order in ways]
    limits.check_decoding(min(needs))
    chosen, order = next(way for way, need in zip(ways, needs, strict=True) if need <= limits.decoding_bytes)
    return chosen.target, order
