"""Images made for the tests: small, and of every kind that the normalizer reads."""

import re
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

ORIENTATION_TAG = 0x0112
RED, WHITE, BLUE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 255), (0, 0, 0)


def make_scene(width: int = 96, height: int = 64) -> Image.Image:
    """A picture whose four corners differ: red, white, blue and black, clockwise from the upper left."""
    scene = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(scene)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), WHITE)
    draw.rectangle((width // 2, height // 2, width, height), BLUE)
    draw.rectangle((0, height // 2, width // 2 - 1, height), BLACK)
    return scene


def encode(image: Image.Image, kind: str, **parameters: Any) -> bytes:
    """The image as a file of this kind."""
    encoded = BytesIO()
    image.save(encoded, kind, **parameters)
    return encoded.getvalue()


def make_jpeg(width: int = 96, height: int = 64, **parameters: Any) -> bytes:
    """The scene as a JPEG."""
    return encode(make_scene(width, height), "JPEG", **parameters)


def open_bytes(image_bytes: bytes) -> Image.Image:
    """The image in these bytes, decoded."""
    image = Image.open(BytesIO(image_bytes))
    image.load()
    return image


def orient(orientation: int) -> bytes:
    """EXIF that says how the camera was held."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif.tobytes()


def repeat_last_scan(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG that says the end of its last scan over and over."""
    end = jpeg.rindex(b"\xff\xd9")
    return jpeg[:end] + jpeg[jpeg.rindex(b"\xff\xda") : end] * times + jpeg[end:]


def claim_jpeg_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header claims another size."""
    return re.sub(
        rb"(\xff[\xc0\xc2]..\x08)....",
        lambda match: match[1] + struct.pack(">HH", height, width),
        jpeg,
        count=1,
        flags=re.S,
    )


def make_png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def make_png_header(width: int, height: int, *, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG that ends after it has claimed a size."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + make_png_chunk(b"IHDR", header) + make_png_chunk(b"IDAT", zlib.compress(b"\0" * 64))
