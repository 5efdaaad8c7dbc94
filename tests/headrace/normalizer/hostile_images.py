"""Thousands of hostile images, the same for the same seed: all formats, odd headers, damage."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from PIL import Image

from .made_images import (
    claim_jpeg_size,
    encode,
    make_jpeg,
    make_jpeg_segment,
    make_lossless_jpeg,
    make_png,
    make_png_chunk,
    make_png_header,
    make_scene,
    orient,
)

_NAMES: Final = (b"exif", b"dpi", b"transparency", b"icc_profile", b"bbox", b"duration", b"loop", b"XML:com.adobe.xmp")
_SIDES: Final = (0, 1, 2, 9, 255, 4000, 65_535, 1_000_000, 2**31 - 1, 2**32 - 1)
_HEADER_BYTES: Final = 96
_LONG_TEXT: Final = zlib.compress(bytes(3_000_000))


def make_hostile_images(count: int, seed: int = 2021) -> Iterator[bytes]:
    """The images, whose kinds take turns."""
    # Made-up data need no cryptographic randomness, but the same bytes for a seed.
    chance = random.Random(seed)  # noqa: S311
    seeds = _make_seeds()
    makers: Sequence[Callable[[random.Random], bytes]] = (
        lambda chance: _flip_bits(chance.choice(seeds), chance),
        lambda chance: _damage(chance.choice(seeds), chance),
        lambda chance: chance.choice(seeds)[: chance.randrange(1, 4000)],
        _make_odd_png,
        _make_odd_jpeg,
        _make_odd_bmp,
        _make_odd_tiff,
    )
    yield from seeds
    for number in range(count - len(seeds)):
        yield makers[number % len(makers)](chance)


def _make_seeds() -> list[bytes]:
    """A whole image of every kind that Pillow writes here."""
    scene = make_scene(48, 32)
    frames = {"save_all": True, "append_images": [scene.rotate(90)]}
    jpegs = [
        make_jpeg(48, 32, exif=orient(6)),
        make_jpeg(48, 32, progressive=True),
        encode(scene.convert("CMYK"), "JPEG"),
        encode(scene.convert("L"), "JPEG"),
        make_lossless_jpeg(),
        encode(scene, "MPO", **frames),
    ]
    modes = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")
    pngs = [encode(scene.convert("L") if mode == "I;16" else scene.convert(mode), "PNG") for mode in modes]
    pngs += [encode(Image.new("I;16", (48, 32), 9000), "PNG"), encode(scene, "PNG", **frames)]
    compressions = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    tiffs = [encode(scene, "TIFF", compression=compression) for compression in compressions]
    tiffs += [encode(scene.convert(mode), "TIFF") for mode in ("1", "L", "CMYK", "LAB", "F", "I")]
    tiffs.append(encode(scene, "TIFF", big_tiff=True))
    others = [encode(scene, kind) for kind in ("GIF", "BMP", "WEBP", "AVIF", "ICO", "PPM", "JPEG2000", "TGA", "PCX")]
    others += [encode(scene, "WEBP", lossless=True, exif=orient(8)), encode(scene, "WEBP", **frames)]
    others += [encode(scene, "GIF", **frames), encode(scene.convert("P"), "BMP"), encode(scene.convert("RGBA"), "BMP")]
    return [*jpegs, *pngs, *tiffs, *others]


def _flip_bits(photograph: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(photograph)
    for _ in range(chance.randrange(1, 12)):
        last = chance.choice([min(_HEADER_BYTES, len(flipped)), len(flipped)])
        flipped[chance.randrange(last)] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _damage(photograph: bytes, chance: random.Random) -> bytes:
    """Some bytes put in, taken out or replaced; most near the front, where headers are."""
    damaged = bytearray(photograph)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(min(chance.choice([_HEADER_BYTES, len(damaged)]), len(damaged)))
        replacement = chance.choice([b"", b"\0\0\0\0", b"\xff\xff\xff\xff", chance.randbytes(3), damaged[:40]])
        damaged[at : at + chance.choice([0, 1, 2, 4, 8])] = replacement
    return bytes(damaged)


def _make_odd_png(chance: random.Random) -> bytes:
    """Chunks in any order, of odd names and types, some missing, with sizes that nothing bears out."""
    if chance.random() < 0.2:
        return make_png(*chance.choice([(1, 40_000), (9, 9), (40_000, 1)]), colour=chance.choice([0, 2, 3, 6]))
    name = chance.choice(_NAMES)
    header = make_png_header(
        chance.choice(_SIDES),
        chance.choice(_SIDES),
        bits=chance.choice([1, 2, 4, 8, 16, 3]),
        colour=chance.randrange(8),
    )[8:33]
    chunks = [
        make_png_chunk(b"tEXt", name + b"\0" + chance.randbytes(9)),
        make_png_chunk(b"zTXt", name + b"\0\0" + _LONG_TEXT),
        make_png_chunk(b"iTXt", name + b"\0\1\0\0\0" + zlib.compress(b"text")),
        make_png_chunk(b"tRNS", chance.randbytes(chance.randrange(8))),
        make_png_chunk(b"PLTE", chance.randbytes(chance.choice([0, 3, 5, 9, 768, 900]))),
        make_png_chunk(b"eXIf", orient(chance.randrange(10))[6:] or chance.randbytes(20)),
        make_png_chunk(b"acTL", struct.pack(">II", chance.randrange(3), 0)),
        make_png_chunk(b"fcTL", chance.randbytes(26)),
        make_png_chunk(b"iCCP", b"p\0" + chance.randbytes(9)),
        make_png_chunk(b"IDAT", zlib.compress(bytes(chance.choice([0, 9, 5000])))),
        make_png_chunk(b"gAMA", chance.randbytes(chance.randrange(5))),
    ]
    chance.shuffle(chunks)
    chosen = [header, *chunks[: chance.randrange(len(chunks))], make_png_chunk(b"IDAT", zlib.compress(bytes(400)))]
    if chance.random() < 0.3:
        chance.shuffle(chosen)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chosen) + chance.choice([b"", make_png_chunk(b"IEND", b"")])


def _make_odd_jpeg(chance: random.Random) -> bytes:
    """Segments that are too short or say odd things, sizes and processes that the rest does not bear out."""
    jpeg = make_jpeg(chance.choice([16, 48]), 32, progressive=chance.random() < 0.5)
    content = chance.choice(
        [b"JFIF\0", b"Exif\0\0", b"Adobe", b"MPF\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0008BIM", b""]
    )
    segment = make_jpeg_segment(chance.randrange(0xC0, 0x100), content + chance.randbytes(chance.randrange(30)))
    odd = bytearray(jpeg[:2] + segment + jpeg[2:])
    frame = odd.find(b"\xff\xc2" if b"\xff\xc2" in odd else b"\xff\xc0")
    if chance.random() < 0.5:
        odd[frame + 1] = chance.choice([0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF])
    if chance.random() < 0.3:
        odd[frame + 4] = chance.choice([0, 2, 12, 16])
    if chance.random() < 0.5:
        sides = [side for side in _SIDES if side < 65_536]
        return claim_jpeg_size(bytes(odd), chance.choice(sides), chance.choice(sides))
    return bytes(odd)


def _make_odd_bmp(chance: random.Random) -> bytes:
    """Headers of all lengths, depths, compressions and masks."""
    masks = [0xFF, 0xFF00, 0xFF0000, 0xFF000000, 0xF800, 0x7E0, 0x1F, 0x3FF, 0]
    length = chance.choice([12, 16, 40, 52, 56, 64, 108, 124, 0, 2**31])
    sides = [chance.choice([1, 9, 48, 4000, 65_535, -9, 2**31 - 1]) for _ in range(2)]
    depth, compression = chance.choice([1, 2, 4, 8, 16, 24, 32, 64]), chance.randrange(7)
    fields = struct.pack("<IiiHHIIiiII", length, *sides, 1, depth, compression, 0, 0, 0, chance.randrange(300), 0)
    content = struct.pack("<IIII", *chance.choices(masks, k=4)) + bytes(68) + chance.randbytes(chance.randrange(3000))
    return (
        b"BM" + struct.pack("<IHHI", 54 + len(content), 0, 0, chance.choice([14, 54, 70, 138, 5000])) + fields + content
    )


def _make_odd_tiff(chance: random.Random) -> bytes:
    """Directories whose entries say anything."""
    order = chance.choice("<>")
    tags = [256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 34_675]
    values = [0, 1, 2, 3, 5, 6, 7, 8, 16, 32, 48, 300, 65_535, 32_773, 34_712, 2**31 - 1, 2**32 - 1]
    usual = {256: 48, 257: 32, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 32, 279: 1536}
    entries = {tag: (4, 1, value) for tag, value in usual.items()}
    for tag in chance.sample(tags, chance.randrange(8)):
        entries[tag] = (chance.randrange(14), chance.choice([0, 1, 1, 2, 70_000]), chance.choice(values))
    block = b"".join(struct.pack(f"{order}HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 1600)
    return start + chance.randbytes(1592) + struct.pack(f"{order}H", len(entries)) + block + bytes(4)
