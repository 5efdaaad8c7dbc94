from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from headrace.normalizer.errors import UnsupportedFormatError
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Colour, Fit, Options, OutputFormat

from .made_images import (
    encode,
    make_bmp_of_fields,
    make_gif_of_a_corner,
    make_grey_tiff,
    make_jpeg,
    make_lossless_jpeg,
    make_png,
    make_png_chunk,
    make_scene,
    open_bytes,
    orient,
)

RGB_PNG = Options(width=96, height=64, colour=Colour.RGB, output_format=OutputFormat.PNG)
# The luma of the scene's corners: red, white, blue, black.
CORNERS = (76, 255, 29, 0)


def read_corners(image: Image.Image, margin: int = 8) -> tuple[int, ...]:
    """The brightness near the corners, clockwise from the upper left."""
    grey = image.convert("L")
    right, bottom = grey.width - 1 - margin, grey.height - 1 - margin
    return tuple(grey.getpixel(at) for at in ((margin, margin), (right, margin), (right, bottom), (margin, bottom)))  # type: ignore[misc]


def approximate(values: tuple[int, ...], tolerance: int = 4) -> Any:
    return pytest.approx(values, abs=tolerance)


def test_makes_a_grey_jpeg_of_256_pixels_by_default() -> None:
    normalized = open_bytes(normalize(make_jpeg()))

    assert (normalized.format, normalized.mode, normalized.size) == ("JPEG", "L", (256, 256))


@pytest.mark.parametrize(("output_format", "name"), [("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
@pytest.mark.parametrize("colour", Colour)
def test_writes_every_format_in_every_colour(output_format: str, name: str, colour: Colour) -> None:
    options = Options(width=40, height=30, colour=colour, output_format=OutputFormat(output_format))

    normalized = open_bytes(normalize(make_jpeg(), options))

    assert (normalized.format, normalized.size) == (name, (40, 30))
    assert read_corners(normalized, 3) == approximate(CORNERS, 8)


KINDS: dict[str, Callable[[], bytes]] = {
    "baseline": lambda: make_jpeg(quality=95),
    "progressive": lambda: make_jpeg(quality=95, progressive=True),
    "cmyk": lambda: encode(make_scene().convert("CMYK"), "JPEG", quality=95),
    "grey-jpeg": lambda: encode(make_scene().convert("L"), "JPEG", quality=95),
    "png": lambda: encode(make_scene(), "PNG"),
    "png-palette": lambda: encode(make_scene().quantize(4), "PNG"),
    "png-grey": lambda: encode(make_scene().convert("L"), "PNG"),
    "png-alpha": lambda: encode(make_scene().convert("RGBA"), "PNG"),
    "png-grey-alpha": lambda: encode(make_scene().convert("LA"), "PNG"),
    "webp": lambda: encode(make_scene(), "WEBP", lossless=True),
    "gif": lambda: encode(make_scene().quantize(4), "GIF"),
    "tiff": lambda: encode(make_scene(), "TIFF"),
    "tiff-lzw": lambda: encode(make_scene(), "TIFF", compression="tiff_lzw"),
    "tiff-cmyk": lambda: encode(make_scene().convert("CMYK"), "TIFF"),
    "bmp": lambda: encode(make_scene(), "BMP"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", Colour)
def test_reads_every_kind_of_image(kind: str, colour: Colour) -> None:
    options = Options(width=96, height=64, colour=colour, output_format=OutputFormat.PNG)

    normalized = open_bytes(normalize(KINDS[kind](), options))

    assert normalized.mode == ("L" if colour is Colour.GREY else "RGB")
    assert read_corners(normalized) == approximate(CORNERS)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_reads_palettes_of_few_bits(bits: int) -> None:
    palette = make_scene().convert("L").quantize(2**bits)

    normalized = open_bytes(normalize(encode(palette, "PNG", bits=bits), RGB_PNG))

    assert read_corners(normalized) == approximate(read_corners(palette.convert("RGB")))


def test_reads_one_bit_images() -> None:
    black_and_white = make_scene().convert("L").point(lambda value: 255 if value > 100 else 0).convert("1")

    normalized = open_bytes(normalize(encode(black_and_white, "PNG"), RGB_PNG))

    assert read_corners(normalized) == (0, 255, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_scales_sixteen_bits_of_grey_to_eight(kind: str) -> None:
    halves = Image.frombytes("I;16", (64, 64), b"\x00\x80" * 64 * 32 + b"\x00\xff" * 64 * 32)

    normalized = open_bytes(normalize(encode(halves, kind), RGB_PNG))

    assert read_corners(normalized) == (128, 128, 255, 255)


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_reads_a_tiff_of_sixteen_bits_whichever_end_is_white(white_is_zero: bool) -> None:
    stored = b"\xff\xdf" if white_is_zero else b"\x00\x20"
    photograph = make_grey_tiff(stored * 64 * 64, 64, 64, bits=16, white_is_zero=white_is_zero)

    normalized = open_bytes(normalize(photograph, RGB_PNG))

    assert read_corners(normalized) == (32, 32, 32, 32)


def test_scales_twelve_bits_of_grey_to_eight() -> None:
    photograph = make_grey_tiff(b"\x80\x08\x00" * 32 * 32 + b"\xff\xff\xff" * 32 * 32, 64, 64, bits=12)

    normalized = open_bytes(normalize(photograph, RGB_PNG))

    assert read_corners(normalized) == (128, 128, 255, 255)


def test_refuses_numbers_with_a_sign() -> None:
    with pytest.raises(UnsupportedFormatError, match="sign"):
        normalize(make_grey_tiff(bytes(64 * 64), 64, 64, bits=8, is_signed=True))


@pytest.mark.parametrize(
    ("bits", "colour_type", "transparent", "corner"),
    [
        (2, 0, b"\0\1", 255),
        (2, 0, b"\0\2", 0x55),
        (4, 0, b"\0\5", 255),
        (8, 0, b"\0\x55", 255),
        (8, 2, b"\0\x55" * 3, 255),
        (16, 0, b"\x55" * 2, 255),
        (16, 0, b"\xff\0", 0x55),
        (16, 2, b"\x55" * 6, 255),
    ],
)
def test_shows_the_transparent_colour_white(bits: int, colour_type: int, transparent: bytes, corner: int) -> None:
    photograph = make_png(64, 64, bits=bits, colour=colour_type, parts=make_png_chunk(b"tRNS", transparent))

    assert read_corners(open_bytes(normalize(photograph, RGB_PNG))) == (corner,) * 4


@pytest.mark.parametrize("colour", Colour)
def test_shows_white_where_the_first_frame_of_a_gif_is_not(colour: Colour) -> None:
    options = Options(width=96, height=64, colour=colour, output_format=OutputFormat.PNG)

    normalized = open_bytes(normalize(make_gif_of_a_corner(), options))

    assert read_corners(normalized) == (0, 255, 255, 255)


@pytest.mark.parametrize("fields", ["RGBX", "BGRX", "XRGB", "XBGR", "RGBA", "ARGB", "ABGR", "GARB"])
@pytest.mark.parametrize("header_bytes", [40, 56, 108, 124])
def test_reads_a_bmp_of_any_order_of_its_bytes(fields: str, header_bytes: int) -> None:
    normalized = open_bytes(normalize(make_bmp_of_fields(make_scene(), fields, header_bytes), RGB_PNG))

    assert read_corners(normalized) == approximate(CORNERS, 1)


@pytest.mark.parametrize("colour", Colour)
def test_reads_a_lossless_grey_jpeg(colour: Colour) -> None:
    options = Options(width=96, height=64, colour=colour, output_format=OutputFormat.PNG)

    normalized = open_bytes(normalize(make_lossless_jpeg(), options))

    assert read_corners(normalized) == (128, 128, 128, 128)


def test_shows_transparent_parts_white() -> None:
    glass = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    glass.paste((0, 0, 0, 255), (0, 0, 32, 64))

    normalized = open_bytes(normalize(encode(glass, "PNG"), RGB_PNG))

    assert read_corners(normalized) == (0, 255, 255, 0)


def test_shows_a_transparent_palette_entry_white() -> None:
    palette = make_scene().quantize(4)
    black = palette.getpixel((2, 62))

    normalized = open_bytes(normalize(encode(palette, "GIF", transparency=black), RGB_PNG))

    assert read_corners(normalized) == approximate((76, 255, 29, 255))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_takes_the_first_of_several_frames(kind: str) -> None:
    frames = encode(make_scene(), kind, save_all=True, append_images=[Image.new("RGB", (96, 64))])

    normalized = open_bytes(normalize(frames, RGB_PNG))

    assert read_corners(normalized) == approximate(CORNERS, 12)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_an_image_as_its_orientation_says(kind: str, orientation: int) -> None:
    turns = dict(zip(range(2, 9), [Image.Transpose(turn) for turn in (0, 3, 1, 5, 2, 6, 4)], strict=True))
    stored = make_scene(100, 60)
    if orientation != 1:
        stored = stored.transpose(turns[orientation])
    photograph = encode(stored, kind, exif=orient(orientation))

    normalized = open_bytes(normalize(photograph, Options(width=100, height=60, output_format=OutputFormat.PNG)))

    assert read_corners(normalized) == approximate(CORNERS, 12)


# Pillow warns of it.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", orient(9), orient(6)[:20], b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_leaves_an_image_as_it_is_when_its_exif_is_damaged(exif: bytes) -> None:
    normalized = open_bytes(normalize(make_jpeg(exif=exif), RGB_PNG))

    assert read_corners(normalized) == approximate(CORNERS, 12)


def test_contains_a_wide_image_between_black_bars() -> None:
    white = encode(Image.new("RGB", (200, 100), "white"), "PNG")

    normalized = open_bytes(
        normalize(white, Options(width=80, height=80, fit=Fit.CONTAIN, output_format=OutputFormat.PNG))
    )

    assert [normalized.getpixel((40, y)) for y in (0, 19, 20, 59, 60, 79)] == [0, 0, 255, 255, 0, 0]


def test_contains_a_turned_image_upright() -> None:
    white = encode(Image.new("RGB", (200, 100), "white"), "JPEG", exif=orient(6))

    normalized = open_bytes(
        normalize(white, Options(width=80, height=80, fit=Fit.CONTAIN, output_format=OutputFormat.PNG))
    )

    assert [normalized.getpixel((x, 40)) for x in (10, 30, 70)] == [0, 255, 0]


def test_covers_by_cutting_off_both_sides_alike() -> None:
    stripes = Image.new("RGB", (300, 100), "black")
    stripes.paste("white", (100, 0, 200, 100))

    normalized = open_bytes(
        normalize(encode(stripes, "PNG"), Options(width=50, height=50, fit=Fit.COVER, output_format=OutputFormat.PNG))
    )

    assert read_corners(normalized) == (255, 255, 255, 255)


def test_keeps_the_whole_image_of_another_shape_when_stretched() -> None:
    normalized = open_bytes(normalize(make_jpeg(400, 40), RGB_PNG))

    assert read_corners(normalized) == approximate(CORNERS, 12)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
@pytest.mark.parametrize("fit", Fit)
def test_takes_the_smallest_images(size: tuple[int, int], fit: Fit) -> None:
    normalized = open_bytes(normalize(encode(Image.new("RGB", size, "white"), "PNG"), Options(fit=fit)))

    assert normalized.size == (256, 256)


@pytest.mark.parametrize("size", [(1200, 900), (2500, 1900), pytest.param((5000, 3800), marks=pytest.mark.slow)])
def test_scaled_decoding_looks_like_decoding_everything(size: tuple[int, int]) -> None:
    options = Options(output_format=OutputFormat.PNG)
    photograph = Image.effect_mandelbrot(size, (-2.0, -1.2, 1.0, 1.2), 60)

    scaled = open_bytes(normalize(encode(photograph, "JPEG", quality=95), options))
    whole = photograph.resize((256, 256), Image.Resampling.BOX)

    assert ImageStat.Stat(ImageChops.difference(scaled, whole)).rms[0] < 6


def test_lower_quality_makes_fewer_bytes() -> None:
    photograph = encode(Image.effect_noise((256, 256), 40), "PNG")

    assert len(normalize(photograph, Options(quality=30))) < len(normalize(photograph, Options(quality=95))) / 2


def test_gives_the_same_bytes_every_time() -> None:
    assert normalize(make_jpeg()) == normalize(make_jpeg())
