"""A photograph is refused before it takes more memory than the function has, whatever its shape and the options."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from headrace.normalizer.errors import PhotographTooLargeError
from headrace.normalizer.headers import count_tiff_piece_bytes
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Colour, Options, OutputFormat
from tests.memory_groups import limiting_memory

from .bounded_runs import FUNCTION_MIB, run_apart
from .made_images import encode, make_png, make_png_chunk, make_scene, open_bytes

MIB = 1024 * 1024
DEFAULT: dict[str, str] = {}
LARGE = {"width": "2048", "height": "2048", "colour": "rgb"}
NORMALIZED, TOO_LARGE = "bytes", "PhotographTooLarge"


def make_bmp_of_jumps(width: int, height: int) -> bytes:
    """A BMP of runs in which a few bytes fill many rows."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 0, 0)
    jumps = b"\0\2\0\xff" * (height // 255 + 1)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(jumps), 0, 0, 54 + 1024) + header + bytes(1024) + jumps


def make_tiff_of_large_tile(side: int) -> bytes:
    """A small TIFF in one tile that is far larger."""
    tiff = bytearray(encode(make_scene(64, 64), "TIFF", compression="tiff_lzw", tiled=True))
    at = int.from_bytes(tiff[4:8], "little")
    entries = int.from_bytes(tiff[at : at + 2], "little")
    directory = [bytes(tiff[at + 2 + 12 * entry : at + 14 + 12 * entry]) for entry in range(entries)]
    moved = {0x0111: 0x0144, 0x0117: 0x0145}
    kept = []
    for entry in directory:
        tag, kind, count, value = struct.unpack("<HHII", entry)
        if tag != 0x0116:
            kept.append((moved.get(tag, tag), kind, count, value))
    kept += [(0x0142, 4, 1, side), (0x0143, 4, 1, side)]
    block = struct.pack("<H", len(kept)) + b"".join(struct.pack("<HHII", *entry) for entry in sorted(kept)) + bytes(4)
    return bytes(tiff[:4]) + struct.pack("<I", len(tiff)) + bytes(tiff[8:]) + block


def make_tiff_in_one_strip(side: int, orientation: int) -> bytes:
    """A small TIFF of which Pillow holds the strip, the pixels and, where it turns them, these once more."""
    grey = Image.new("L", (side, side), 77)
    return encode(grey, "TIFF", compression="tiff_lzw", strip_size=side * side, tiffinfo={0x0112: orientation})


CASES: dict[str, tuple[Callable[[], bytes], dict[str, str], str]] = {
    "grey-10x1000000": (lambda: make_png(10, 1_000_000, colour=0), DEFAULT, NORMALIZED),
    "rgb-10x1000000": (lambda: make_png(10, 1_000_000), {"colour": "rgb"}, NORMALIZED),
    "grey-1000000x10-large": (lambda: make_png(1_000_000, 10, colour=0), LARGE, NORMALIZED),
    "bits-1x50000000": (lambda: make_png(1, 50_000_000, bits=1, colour=0), DEFAULT, TOO_LARGE),
    "bits-50000000x1": (lambda: make_png(50_000_000, 1, bits=1, colour=0), DEFAULT, TOO_LARGE),
    "jpeg-100x65500": (lambda: encode(Image.new("RGB", (100, 65_500), "teal"), "JPEG"), LARGE, NORMALIZED),
    "screenshot": (lambda: make_png(1280, 30_000), DEFAULT, NORMALIZED),
    "screenshot-large": (lambda: make_png(1280, 30_000), LARGE, NORMALIZED),
    "screenshot-large-webp": (lambda: make_png(1280, 30_000), LARGE | {"output_format": "webp"}, NORMALIZED),
    "screenshot-large-cover": (lambda: make_png(1280, 30_000), LARGE | {"fit": "cover"}, NORMALIZED),
    "screenshot-contain": (lambda: make_png(1280, 30_000), LARGE | {"fit": "contain"}, NORMALIZED),
    "rgba-4500": (lambda: make_png(4500, 4500, colour=6), LARGE, NORMALIZED),
    "rgb-6300": (lambda: make_png(6300, 6300), DEFAULT, NORMALIZED),
    "rgb-6300-large": (lambda: make_png(6300, 6300), LARGE, TOO_LARGE),
    "rgb-5200-large": (lambda: make_png(5200, 5200), LARGE | {"output_format": "png"}, NORMALIZED),
    "deep-grey-6000": (lambda: make_png(6000, 6000, bits=16, colour=0), DEFAULT, TOO_LARGE),
    "progressive-large": (
        lambda: encode(Image.new("RGB", (6400, 5000), "teal"), "JPEG", progressive=True),
        LARGE,
        TOO_LARGE,
    ),
    "bmp-of-jumps": (lambda: make_bmp_of_jumps(9000, 9000), DEFAULT, TOO_LARGE),
    "tiff-of-large-tile": (lambda: make_tiff_of_large_tile(16_384), DEFAULT, TOO_LARGE),
    "tiff-in-one-strip": (lambda: make_tiff_in_one_strip(9000, 1), DEFAULT, NORMALIZED),
    "tiff-in-one-strip-turned": (lambda: make_tiff_in_one_strip(9000, 6), DEFAULT, TOO_LARGE),
    "tiff-in-one-strip-turned-less": (lambda: make_tiff_in_one_strip(7800, 6), DEFAULT, NORMALIZED),
    "large-file": (
        lambda: make_png(3000, 3000, parts=make_png_chunk(b"juNK", bytes(28 * MIB))),
        LARGE,
        NORMALIZED,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ends_well_in_the_functions_memory(name: str, tmp_path: Path) -> None:
    make, options, ending = CASES[name]
    (tmp_path / name).write_bytes(make())

    with limiting_memory(FUNCTION_MIB * MIB) as group:
        (run,) = run_apart([tmp_path / name], options, group)

    assert run.ending.endswith(ending)
    # The function's runtime is not in this process.
    assert run.peak_mib < 0.93 * FUNCTION_MIB


@pytest.mark.parametrize(
    ("kind", "letter"), [(1, "B"), (3, "H"), (4, "I"), (6, "b"), (8, "h"), (9, "i"), (16, "Q"), (17, "q")]
)
@pytest.mark.parametrize("order", "<>")
def test_counts_a_strip_whatever_the_type_of_its_numbers(kind: int, letter: str, order: str) -> None:
    entries = [(0x0100, 100), (0x0101, 90), (0x0103, 5), (0x0116, 90)]
    far = 10 + 12 * len(entries)
    directory = values = b""
    for tag, value in entries:
        packed = struct.pack(f"{order}{letter}", value)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(f"{order}I", far + len(values))
        directory += struct.pack(f"{order}HHI", tag, kind, 1) + place
        values += packed if len(packed) > 4 else b""
    start = {"<": b"II*\0", ">": b"MM\0*"}[order]

    counted = count_tiff_piece_bytes(start + struct.pack(f"{order}IH", 8, len(entries)) + directory + values)

    assert counted == 100 * 90


def test_resamples_the_height_first_where_that_takes_less() -> None:
    stripes = make_scene(10, 3000)
    options = Options(width=300, height=60, output_format=OutputFormat.PNG)
    photograph = encode(stripes, "PNG")

    usual = open_bytes(normalize(photograph, options))
    frugal = open_bytes(normalize(photograph, options, Limits(decoding_bytes=700_000)))

    assert [usual.getpixel(at) for at in ((5, 5), (290, 50))] == pytest.approx(
        [frugal.getpixel(at) for at in ((5, 5), (290, 50))], abs=1
    )


def test_refuses_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded"))

    with pytest.raises(PhotographTooLargeError, match=r"needs about \d+ MiB of memory, more than 184"):
        normalize(make_png(1, 50_000_000, bits=1, colour=0))


def test_keeps_colours_until_the_image_is_small_where_grey_would_be_too_much() -> None:
    photograph = make_png(300, 300)
    options = Options(width=10, height=10, output_format=OutputFormat.PNG)

    frugal = normalize(photograph, options, Limits(decoding_bytes=420_000))

    assert open_bytes(frugal).getpixel((5, 5)) == open_bytes(normalize(photograph, options)).getpixel((5, 5))
    assert open_bytes(frugal).mode == "L"


@pytest.mark.parametrize("colour", Colour)
def test_counts_at_least_what_a_small_limit_says(colour: Colour) -> None:
    with pytest.raises(PhotographTooLargeError):
        normalize(make_png(300, 300), Options(colour=colour), Limits(decoding_bytes=300_000))
