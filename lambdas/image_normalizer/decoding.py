"""From bytes to pixels: everything that may go wrong on hostile bytes happens here, and ends in an error of ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import Final

from PIL import Image
from PIL.ImageFile import ImageFile

from . import headers
from .errors import (
    ImageCorruptError,
    ImageTooLargeError,
    ImageTruncatedError,
    NormalizeError,
    UnsupportedFormatError,
)
from .formats import Format, detect_format
from .limits import Limits
from .options import Colour
from .orientation import Orientation, read_exif_orientation

# What libwebp's animation decoder and Pillow hold of a picture together, measured.
_WEBP_BYTES_PER_PIXEL: Final = 16
_TIFF: Final = "TIFF"

# Modes of Pillow's in which an image is resampled: 8-bit grey, 16-bit grey, colour, colour times opacity.
GREY: Final = "L"
DEEP_GREY: Final = "I"
RGB: Final = "RGB"
TRANSLUCENT: Final = "RGBa"

# Pillow keeps all other modes in four bytes, RGB among them.
_BYTES_PER_PIXEL: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
_FOUR_BYTES: Final = 4

_PLUGINS: Final = {
    Format.BMP: "Bmp",
    Format.GIF: "Gif",
    Format.JPEG: "Jpeg",
    Format.PNG: "Png",
    Format.TIFF: "Tiff",
    Format.WEBP: "WebP",
}


def open_image(image_bytes: bytes, limits: Limits) -> ImageFile:
    """The image with its header read and found affordable, and no pixel decoded."""
    limits.check_file(len(image_bytes))
    found = detect_format(image_bytes)
    _check_header(image_bytes, found, limits)
    with translate_errors(found):
        image = load_plugin(found)(BytesIO(image_bytes))
    limits.check_pixels(*image.size)
    # In one piece: by default the decoder gets 64 KiB at a time.
    image.decodermaxblock = len(image_bytes)
    return image


def load_plugin(found: Format) -> Callable[[BytesIO], ImageFile]:
    """What opens files of this format; loading it also lets Pillow write them."""
    name = _PLUGINS[found]
    opener: Callable[[BytesIO], ImageFile] = getattr(import_module(f"PIL.{name}ImagePlugin"), f"{name}ImageFile")
    return opener


# Nearly all images are of it, so it is part of a cold start; the others double its time.
load_plugin(Format.JPEG)


def read_orientation(image: ImageFile) -> Orientation:
    """How an opened image wants to be turned."""
    # Pillow turns a TIFF while it loads it.
    if image.format == _TIFF:
        return Orientation.TOP_LEFT
    return read_exif_orientation(image.info.get("exif", b""))


def decode(image: ImageFile, colour: Colour, least_size: tuple[int, int], limits: Limits) -> Image.Image:
    """The pixels of an opened image, ready for resampling.

    Args:
        image: What `open_image` gave.
        colour: Whether only the brightness matters.
        least_size: A JPEG is decoded to the smallest half, quarter or eighth that is no smaller than this.
        limits: What it may cost.
    """
    name = image.format or ""
    with translate_errors(name):
        image.draft(GREY if colour is Colour.GREY else RGB, least_size)
    target = _choose_mode(image, colour)
    limits.check_decoding(image.width * image.height * _count_bytes(image, target))
    with translate_errors(name):
        image.load()
        return _convert(image, target)


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an error of ours."""
    try:
        yield
    except NormalizeError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooLargeError(f"the {name} needs more memory than there is") from None
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        if "truncated" in str(error):
            raise ImageTruncatedError(f"the {name} ends too early: {error}") from error
        raise ImageCorruptError(f"the {name} is damaged: {error}") from error


def _check_header(image_bytes: bytes, found: Format, limits: Limits) -> None:
    match found:
        case Format.BMP:
            headers.check_bmp_runs(image_bytes)
        case Format.GIF:
            limits.check_pixels(*headers.read_gif_size(image_bytes))
        case Format.JPEG:
            header = headers.read_jpeg_header(image_bytes)
            limits.check_pixels(*header.size)
            limits.check_decoding(header.coefficient_bytes)
            limits.check_scans(header.scans, header.coefficient_bytes)
        case Format.PNG:
            headers.check_png_chunks(image_bytes)
        case Format.TIFF:
            headers.check_tiff_pieces(image_bytes)
        case Format.WEBP:
            width, height = headers.read_webp_size(image_bytes)
            limits.check_pixels(width, height)
            limits.check_decoding(width * height * _WEBP_BYTES_PER_PIXEL)


def _choose_mode(image: Image.Image, colour: Colour) -> str:
    if image.mode in ("F", "I"):
        raise UnsupportedFormatError("pixels of 32 bits have no known range; send 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        return DEEP_GREY
    if image.has_transparency_data:
        return TRANSLUCENT
    return GREY if colour is Colour.GREY else RGB


def _count_bytes(image: ImageFile, target: str) -> int:
    """Bytes per pixel of a decoded image and of its copies on the way to another mode."""
    decoded = _BYTES_PER_PIXEL.get(image.mode, _FOUR_BYTES)
    turned = decoded if image.format == _TIFF else 0
    if image.mode == target:
        return decoded + turned
    between = _FOUR_BYTES if _choose_detour(image.mode, target) else 0
    return decoded + turned + between + _BYTES_PER_PIXEL.get(target, _FOUR_BYTES)


def _choose_detour(mode: str, target: str) -> str | None:
    """The mode between these two, where Pillow has no direct way."""
    if target == TRANSLUCENT and mode != "RGBA":
        return "RGBA"
    if target == GREY and mode in ("CMYK", "LAB"):
        return RGB
    return None


def _convert(image: Image.Image, target: str) -> Image.Image:
    if image.mode == target:
        return image
    detour = _choose_detour(image.mode, target)
    return (image.convert(detour) if detour else image).convert(target)
