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
    """A photograph whose four corners differ: red, white, blue and black, clockwise from the upper left."""
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


def make_jpeg_of_three_scans() -> bytes:
    """The scene as a JPEG with a scan for each of brightness, blueness and redness, none of them progressive."""
    planes = [encode(plane, "JPEG") for plane in make_scene().convert("YCbCr").split()]
    head, frame, scans = planes[0][: planes[0].index(b"\xff\xc0")], planes[0][planes[0].index(b"\xff\xc0") :], b""
    tables = frame[frame.index(b"\xff\xc4") : frame.index(b"\xff\xda")]
    for name, plane in enumerate(planes, 1):
        scans += make_jpeg_segment(0xDA, bytes((1, name, 0, 0, 63, 0))) + plane[plane.index(b"\xff\xda") + 10 : -2]
    components = b"".join(bytes((name, 0x11, 0)) for name in (1, 2, 3))
    return head + make_jpeg_segment(0xC0, frame[4:9] + b"\3" + components) + tables + scans + b"\xff\xd9"


def open_bytes(photograph: bytes) -> Image.Image:
    """The image in these bytes, decoded."""
    image = Image.open(BytesIO(photograph))
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


def make_grey_tiff(
    pixels: bytes, width: int, height: int, *, bits: int, white_is_zero: bool = False, is_signed: bool = False
) -> bytes:
    """An uncompressed grey TIFF of one strip, which holds these bytes."""
    entries = {
        0x0100: width,
        0x0101: height,
        0x0102: bits,
        0x0103: 1,
        0x0106: 0 if white_is_zero else 1,
        0x0111: 0,
        0x0115: 1,
        0x0116: height,
        0x0117: len(pixels),
        0x0153: 2 if is_signed else 1,
    }
    entries[0x0111] = 8 + 2 + 12 * len(entries) + 4
    directory = b"".join(
        struct.pack("<HHII", tag, 4 if value > 0xFFFF else 3, 1, value) for tag, value in entries.items()
    )
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + pixels


def make_gif_of_a_corner() -> bytes:
    """A GIF of 8 x 8 pixels, red by its palette, of which the only frame is black and covers the upper left quarter."""
    palette = bytes(RED + BLACK)
    # Codes of three bits: clear, black, clear, black and so on, so that their width never grows; at last the end.
    bits = "".join(f"{code:03b}"[::-1] for code in [4, 1] * 16 + [5])
    codes = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    screen = struct.pack("<HHBBB", 8, 8, 0x80, 0, 0)
    frame = struct.pack("<HHHHB", 0, 0, 4, 4, 0)
    return b"GIF89a" + screen + palette + b"," + frame + b"\2" + bytes([len(codes)]) + codes + b"\0;"


def make_bmp_of_fields(image: Image.Image, fields: str, header_bytes: int) -> bytes:
    """A BMP of four bytes a pixel, which are these channels in turn; X is nothing, and A is whole."""
    bands = dict(zip("RGB", image.split(), strict=True))
    empty, whole = Image.new("L", image.size), Image.new("L", image.size, 255)
    channels = [bands.get(field, whole if field == "A" else empty).tobytes() for field in fields]
    pixels = bytes(byte for pixel in zip(*channels, strict=True) for byte in pixel)
    masks = struct.pack("<4I", *(0xFF << 8 * fields.index(field) if field in fields else 0 for field in "RGBA"))
    header = struct.pack("<IiiHHIIiiII", header_bytes, image.width, -image.height, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    # The shortest header is followed by its masks, which are those of the colours.
    header += masks[:12] if header_bytes == 40 else masks.ljust(header_bytes - 40, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels
