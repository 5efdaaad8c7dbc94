"""Decoding an image into a small square of RGB pixels, in training and at the endpoint."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

# What SageMaker's built-in image classification reads, too; every further decoder is a further way in.
FORMATS = ("JPEG", "PNG")
# Checked before decoding: a file of a few kilobytes may declare gigabytes of pixels.
MOST_PIXELS = 50_000_000
# Twice the side leaves the JPEG decoder's coarse scaling without visible effect.
DRAFT_FACTOR = 2
WHITE = (255, 255, 255)

Pixels = NDArray[np.uint8]


class ImageError(Exception):
    """An image that cannot be decoded; its message is the reason."""


def decode_image(source: Path | BinaryIO, side: int) -> Pixels:
    """The image as `side` rows of `side` RGB pixels, turned upright, transparent parts white."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            check_size(image)
            image.draft(None, (DRAFT_FACTOR * side, DRAFT_FACTOR * side))
            upright = flatten_colours(ImageOps.exif_transpose(image))
            return np.asarray(upright.resize((side, side), Image.Resampling.BILINEAR))
    except ImageError:
        raise
    # The message would give the file's path in this container, or the repr of a buffer.
    except UnidentifiedImageError as error:
        raise ImageError(f"neither a {FORMATS[0]} nor a {FORMATS[1]} file") from error
    # Pillow's own limit, which it checks before ours can be.
    except Image.DecompressionBombError as error:
        raise ImageError(f"it declares more than {MOST_PIXELS} pixels") from error
    except Exception as error:
        # Pillow's decoders raise whatever a damaged file makes them stumble over.
        raise ImageError(f"damaged: {error}") from error


def check_size(image: Image.Image) -> None:
    """Refuse an image that would need too much memory."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise ImageError(f"it declares {image.width} x {image.height} pixels, more than {MOST_PIXELS}")


def flatten_colours(image: Image.Image) -> Image.Image:
    """The image in RGB, on white where it is transparent."""
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey to 8 bits instead of scaling it.
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    flat = Image.new("RGB", image.size, WHITE)
    flat.paste(colours, mask=colours.getchannel("A"))
    return flat
