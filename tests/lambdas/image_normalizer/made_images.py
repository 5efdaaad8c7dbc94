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


def make_png(width: int, height: int, *, bits: int = 8, colour: int = 2, parts: bytes = b"") -> bytes:
    """A whole PNG of any size in one colour, of a row at a time, with other chunks before its pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + b"\x55" * (-(-width * bits * channels // 8))
    compressor = zlib.compressobj(1)
    pixels = [compressor.compress(row * rows) for rows in [1000] * (height // 1000) + [height % 1000]]
    content = b"".join([*pixels, compressor.flush()])
    header = make_png_header(width, height, bits=bits, colour=colour)[:33]
    return header + parts + make_png_chunk(b"IDAT", content) + make_png_chunk(b"IEND", b"")


def make_lossless_jpeg(width: int = 16, height: int = 16) -> bytes:
    """A grey JPEG of the lossless process, in which every pixel is as its neighbour."""
    frame = struct.pack(">HBHHBBBB", 11, 8, height, width, 1, 1, 0x11, 0)
    table = struct.pack(">HB16BB", 20, 0, 1, *[0] * 15, 0)
    scan = struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 0, 0)
    pixels = bytes(-(-width * height // 8))
    return b"\xff\xd8\xff\xc3" + frame + b"\xff\xc4" + table + b"\xff\xda" + scan + pixels + b"\xff\xd9"


def make_jpeg_segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
