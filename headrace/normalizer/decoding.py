"""From bytes to pixels: everything that may go wrong on hostile bytes happens here, and ends in an error of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from PIL import Image
from PIL.ImageFile import ImageFile

from headrace.normalizer import headers, memory, readings
from headrace.normalizer.errors import (
    NormalizeError,
    PhotographCorruptError,
    PhotographTooLargeError,
    PhotographTruncatedError,
    UnsupportedFormatError,
)
from headrace.normalizer.formats import Format
from headrace.normalizer.limits import Limits
from headrace.normalizer.options import Colour
from headrace.normalizer.orientation import Orientation, read_exif_orientation
from headrace.normalizer.pixel_parts import PixelParts, select_jpeg_parts, select_png_parts
from headrace.normalizer.readings import Box, Levels

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

# What libwebp's animation decoder and Pillow hold of a photograph beside its pixels, measured.
_WEBP_BYTES_PER_PIXEL: Final = 12

_PLUGINS: Final = {
    Format.BMP: "Bmp",
    Format.GIF: "Gif",
    Format.JPEG: "Jpeg",
    Format.PNG: "Png",
    Format.TIFF: "Tiff",
    Format.WEBP: "WebP",
}


class Opened(NamedTuple):
    """A photograph with its header read, and no pixel decoded.

    Args:
        image: Pillow's.
        orientation: How it wants to be turned.
        decoder_bytes: What its decoder holds beside the pixels.
        is_scalable: Whether its decoder can make it smaller and grey.
        levels: How grey of more than 8 bits is meant.
        covered: The part of it that has pixels, if that is not all.
    """

    image: ImageFile
    orientation: Orientation
    decoder_bytes: int
    is_scalable: bool = False
    levels: Levels = Levels()
    covered: Box | None = None


def open_photograph(photograph: bytes, found: Format, limits: Limits, colour: Colour) -> Opened:
    """A photograph of a known format, found affordable as far as its header says; for grey perhaps without colours."""
    parts, decoder_bytes, is_scalable = _check_header(photograph, found, limits, colour)
    image = load_plugin(found)(BytesIO(parts.photograph))
    limits.check_pixels(*image.size)
    # In one piece: by default the decoder gets 64 KiB at a time.
    image.decodermaxblock = len(photograph)
    if found is Format.TIFF:
        return _open_tiff(cast("TiffImageFile", image), decoder_bytes)
    if found is Format.GIF:
        return Opened(image, Orientation.TOP_LEFT, decoder_bytes, covered=readings.read_covered_box(image))
    if found is Format.PNG:
        readings.scale_transparent_colour(image)
    exif = parts.exif or image.info.get("exif")
    orientation = read_exif_orientation(exif) if isinstance(exif, bytes) else Orientation.TOP_LEFT
    return Opened(image, orientation, decoder_bytes, is_scalable)


def _open_tiff(image: "TiffImageFile", decoder_bytes: int) -> Opened:
    levels = readings.read_tiff_levels(image)
    # Pillow turns a TIFF while it loads it, beside the decoder.
    turning = memory.count_pixel_bytes(image.size, image.mode) if readings.is_turned_by_pillow(image) else 0
    return Opened(image, Orientation.TOP_LEFT, decoder_bytes + turning, levels=levels)


def load_plugin(found: Format) -> Callable[[BytesIO], ImageFile]:
    """What opens files of this format; loading it also lets Pillow write them."""
    name = _PLUGINS[found]
    opener: Callable[[BytesIO], ImageFile] = getattr(import_module(f"PIL.{name}ImagePlugin"), f"{name}ImageFile")
    return opener


# Nearly all photographs are of it, so it is part of a cold start; the others double its time.
load_plugin(Format.JPEG)


def prepare(opened: Opened, colour: Colour, least_size: tuple[int, int]) -> str:
    """Make an opened photograph ready for being decoded, and return the mode in which it is resampled.

    Args:
        opened: What `open_photograph` gave.
        colour: Whether only the brightness matters.
        least_size: A JPEG is decoded to the smallest half, quarter or eighth that is not smaller than this.
    """
    if opened.is_scalable:
        opened.image.draft(memory.GREY if colour is Colour.GREY else memory.RGB, least_size)
    return _choose_mode(opened.image, colour)


def decode(opened: Opened, target: str) -> Image.Image:
    """The pixels of a photograph that was prepared for this mode."""
    opened.image.load()
    pixels = _convert(opened.image, target)
    if opened.covered:
        _whiten_around(pixels, opened.covered)
    return pixels


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an error of ours."""
    try:
        yield
    except NormalizeError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotographTooLargeError(f"the {name} needs more memory than there is") from None
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        told = str(error) or type(error).__name__
        if "truncated" in told:
            raise PhotographTruncatedError(f"the {name} ends too early: {told}") from error
        raise PhotographCorruptError(f"the {name} is damaged: {told}") from error


def _check_header(photograph: bytes, found: Format, limits: Limits, colour: Colour) -> tuple[PixelParts, int, bool]:
    """What the decoder gets to see, what it will hold beside the pixels, and whether it can scale."""
    parts = PixelParts(photograph, b"")
    # Pillow reads all of the file, or as much of it as one frame takes, at once.
    decoder_bytes = len(photograph)
    is_scalable = False
    match found:
        case Format.BMP:
            parts = PixelParts(readings.order_bmp_fields(photograph), b"")
            is_ordered = parts.photograph is not photograph
            # Ordered, it is there three times for a moment.
            decoder_bytes += headers.count_bmp_run_bytes(photograph) + is_ordered * 2 * len(photograph)
        case Format.GIF:
            limits.check_pixels(*headers.read_gif_size(photograph))
        case Format.JPEG:
            header = headers.read_jpeg_header(photograph)
            limits.check_pixels(*header.size)
            limits.check_decoding(header.coefficient_bytes)
            limits.check_scans(header.scans, header.coefficient_bytes)
            is_scalable = not header.is_lossless
            # Only a decoder that can scale leaves colours out.
            parts = select_jpeg_parts(photograph, is_grey=is_scalable and colour is Colour.GREY)
            decoder_bytes += header.coefficient_bytes + len(parts.photograph)
        case Format.PNG:
            parts = select_png_parts(photograph)
            decoder_bytes += len(parts.photograph)
        case Format.TIFF:
            decoder_bytes += headers.count_tiff_piece_bytes(photograph)
        case Format.WEBP:
            width, height = headers.read_webp_size(photograph)
            limits.check_pixels(width, height)
            decoder_bytes += width * height * _WEBP_BYTES_PER_PIXEL
            # Its decoder takes all of it when it is opened.
            limits.check_decoding(decoder_bytes + memory.count_pixel_bytes((width, height), memory.RGB))
    return parts, decoder_bytes, is_scalable


def _choose_mode(image: Image.Image, colour: Colour) -> str:
    if image.mode in ("F", "I"):
        raise UnsupportedFormatError("pixels of 32 bits have no known range; send 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        return memory.DEEP_GREY
    if image.has_transparency_data:
        return memory.TRANSLUCENT
    return memory.GREY if colour is Colour.GREY else memory.RGB


def _convert(image: Image.Image, target: str) -> Image.Image:
    if image.mode == target:
        return image
    detour = memory.choose_detour(image.mode, target)
    return (image.convert(detour) if detour else image).convert(target)


def _whiten_around(pixels: Image.Image, covered: Box) -> None:
    """Make white, as what is transparent, the part without pixels."""
    left, top, right, bottom = covered
    width, height = pixels.size
    white = (255,) * len(pixels.getbands())
    for box in ((0, 0, width, top), (0, bottom, width, height), (0, 0, left, height), (right, 0, width, height)):
        pixels.paste(white, box)
