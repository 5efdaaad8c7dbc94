"""The image formats: how files of them are named, and how their first bytes tell them apart."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from headrace.normalizer.errors import NotAPhotographError, UnsupportedFormatError


class Format(StrEnum):
    """The formats that are read."""

    BMP = "BMP"
    GIF = "GIF"
    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"


# What SageMaker's built-in image classification reads, and lists are made of.
CLASSIFIED: Final = (Format.JPEG, Format.PNG)
_SUFFIXES: Final = {
    Format.BMP: (".bmp",),
    Format.GIF: (".gif",),
    Format.JPEG: (".jpeg", ".jpg"),
    Format.PNG: (".png",),
    Format.TIFF: (".tif", ".tiff"),
    Format.WEBP: (".webp",),
}
JPEG_SIGNATURE: Final = b"\xff\xd8\xff"
PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SIGNATURES: Final = (
    (JPEG_SIGNATURE, Format.JPEG),
    (PNG_SIGNATURE, Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"BM", Format.BMP),
)
# Every further decoder is a further way in, and cameras do not write these.
_UNSUPPORTED_SIGNATURES: Final = (
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\1\0", "Icon"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"P5", "Portable grey map"),
    (b"P6", "Portable pixel map"),
)
_SUPPORTED: Final = ", ".join(Format)


def list_suffixes(formats: Iterable[Format] = Format) -> tuple[str, ...]:
    """What the names of files of these formats end with, in small letters.

    Example:
        >>> list_suffixes([Format.JPEG, Format.PNG])
        ('.jpeg', '.jpg', '.png')
    """
    return tuple(suffix for found in formats for suffix in _SUFFIXES[found])


def detect_learnt(photograph: bytes) -> Format:
    """The format of a photograph that is learnt from.

    Raises:
        UnsupportedFormatError: If it is not one of those that are.
    """
    if not photograph.startswith((JPEG_SIGNATURE, PNG_SIGNATURE)):
        raise UnsupportedFormatError(f"neither a {CLASSIFIED[0]} nor a {CLASSIFIED[1]} file")
    return detect_format(photograph)


def detect_format(photograph: bytes) -> Format:
    """The format that the first bytes announce."""
    for signature, found in _SIGNATURES:
        if photograph.startswith(signature):
            return found
    if photograph.startswith(b"RIFF") and photograph[8:12] == b"WEBP":
        return Format.WEBP
    for signature, name in _UNSUPPORTED_SIGNATURES:
        if photograph.startswith(signature):
            raise UnsupportedFormatError(f"{name} photographs are not read; send one of {_SUPPORTED}")
    if photograph[4:8] == b"ftyp":
        raise UnsupportedFormatError(f"AVIF, HEIC and video files are not read; send one of {_SUPPORTED}")
    raise NotAPhotographError(f"the first bytes are those of no image format; send one of {_SUPPORTED}")
