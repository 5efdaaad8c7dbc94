"""What only describes a photograph, damaged or not, decides nothing about the normalized image but how it is turned."""

import zlib
from io import BytesIO

import pytest
from PIL import Image

from headrace.normalizer.errors import (
    NormalizeError,
    PhotographCorruptError,
    PhotographTruncatedError,
    TooComplexError,
)
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Colour, Options, OutputFormat
from headrace.normalizer.pixel_parts import select_jpeg_parts, select_png_parts

from .made_images import (
    encode,
    make_jpeg,
    make_jpeg_of_three_scans,
    make_jpeg_segment,
    make_png,
    make_png_chunk,
    make_scene,
    open_bytes,
    orient,
)

RGB_PNG = Options(width=20, height=20, colour=Colour.RGB, output_format=OutputFormat.PNG)
PLAIN_PNG = make_png(40, 30)
# What Pillow itself keeps under these names has other types.
NAMES = (b"exif", b"dpi", b"transparency", b"icc_profile", b"bbox", b"gamma", b"default_image", b"interlace", b"xmp")

PNG_DESCRIPTIONS = {
    "profile-of-no-method": make_png_chunk(b"iCCP", b"name\0\7profile"),
    "profile-without-end": make_png_chunk(b"iCCP", b"name"),
    "short-gamma": make_png_chunk(b"gAMA", b"\0"),
    "short-animation": make_png_chunk(b"acTL", b"\0"),
    "frame-out-of-order": make_png_chunk(b"fcTL", bytes(26)[:3] + b"\5" + bytes(22)),
    "text-with-a-wrong-checksum": make_png_chunk(b"tEXt", b"a\0b")[:-1] + b"?",
    "profile-bomb": make_png_chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(20_000_000))),
    "text-of-four-bytes-a-letter": make_png_chunk(
        b"iTXt", b"a\0\1\0\0\0" + zlib.compress("\U0001f600".encode() + b"a" * 1_000_000)
    )
    * 60,
    "unknown": make_png_chunk(b"ABCD", b"content"),
}

JPEG_DESCRIPTIONS = {
    "short-jfif": make_jpeg_segment(0xE0, b"JFIF\0"),
    "short-adobe": make_jpeg_segment(0xEE, b"Adobe"),
    "photoshop": make_jpeg_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\xff"),
    "several-images": make_jpeg_segment(0xE2, b"MPF\0broken"),
    "profile": make_jpeg_segment(0xE2, b"ICC_PROFILE\0\xff\0"),
    "exif": make_jpeg_segment(0xE1, b"Exif\0\0MM\0*\0\0\0\xff"),
    "comment-of-no-length": b"\xff\xfe\0\0",
}


JPEGS_OF_SEVERAL_SCANS = {
    "progressive": lambda: make_jpeg(progressive=True),
    "progressive-in-full-colour": lambda: make_jpeg(progressive=True, subsampling="4:4:4", quality=99),
    "one-for-each-component": make_jpeg_of_three_scans,
}


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize("name", NAMES)
def test_text_of_a_png_may_have_any_name(kind: bytes, name: bytes) -> None:
    start = {b"tEXt": b"\0", b"zTXt": b"\0\0", b"iTXt": b"\0\0\0\0\0"}[kind]
    text = zlib.compress(b"text") if kind == b"zTXt" else b"text"
    photograph = make_png(40, 30, parts=make_png_chunk(kind, name + start + text))

    assert normalize(photograph, RGB_PNG) == normalize(PLAIN_PNG, RGB_PNG)


@pytest.mark.parametrize("name", PNG_DESCRIPTIONS)
@pytest.mark.parametrize("place", [33, len(PLAIN_PNG) - 12])
def test_a_damaged_description_leaves_a_png_as_it_is(name: str, place: int) -> None:
    photograph = PLAIN_PNG[:place] + PNG_DESCRIPTIONS[name] + PLAIN_PNG[place:]

    assert normalize(photograph, RGB_PNG) == normalize(PLAIN_PNG, RGB_PNG)


@pytest.mark.parametrize("name", JPEG_DESCRIPTIONS)
def test_a_damaged_description_leaves_a_jpeg_as_it_is(name: str) -> None:
    jpeg = make_jpeg()

    assert normalize(jpeg[:2] + JPEG_DESCRIPTIONS[name] + jpeg[2:], RGB_PNG) == normalize(jpeg, RGB_PNG)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_what_follows_an_image_leaves_it_as_it_is(kind: str) -> None:
    photograph = encode(make_scene(), kind)

    assert normalize(photograph + bytes(400_000), RGB_PNG) == normalize(photograph, RGB_PNG)


def test_turns_a_png_whose_exif_follows_its_pixels() -> None:
    turned = encode(make_scene(), "PNG", exif=orient(3))
    plain = encode(make_scene(), "PNG")
    exif = make_png_chunk(b"eXIf", orient(3).removeprefix(b"Exif\0\0"))

    assert normalize(plain[:-12] + exif + plain[-12:], RGB_PNG) == normalize(turned, RGB_PNG)


@pytest.mark.parametrize("name", [b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\1"])
def test_colours_of_a_jpeg_are_as_its_adobe_segment_says(name: bytes) -> None:
    jpeg = make_jpeg()
    # Without JFIF the other segment decides.
    jpeg = jpeg[:2] + make_jpeg_segment(0xEE, name) + jpeg[20:]

    normalized = open_bytes(normalize(jpeg, RGB_PNG))

    assert normalized.tobytes() == open_bytes(jpeg).convert("RGB").resize((20, 20)).tobytes() or (
        normalized.getpixel((0, 0)) == pytest.approx(open_bytes(jpeg).convert("RGB").getpixel((2, 2)), abs=3)
    )


@pytest.mark.parametrize("kind", ["GIF", "JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("output_format", OutputFormat)
def test_carries_nothing_of_the_photograph_but_pixels(kind: str, output_format: OutputFormat) -> None:
    described = encode(make_scene(), kind, comment=b"private", icc_profile=b"profile" * 20)

    normalized = normalize(described, Options(output_format=output_format))

    assert b"private" not in normalized
    assert b"profile" not in normalized
    assert "icc_profile" not in open_bytes(normalized).info


def test_refuses_a_palette_image_without_a_palette() -> None:
    with pytest.raises(PhotographCorruptError) as refused:
        normalize(make_png(1, 1, colour=3))

    assert refused.value.reason == "the PNG is damaged: AssertionError"


def test_refuses_a_png_of_a_description_alone() -> None:
    with pytest.raises(NormalizeError):
        normalize(make_png(1, 1)[:33] + PNG_DESCRIPTIONS["unknown"])


@pytest.mark.parametrize("name", JPEGS_OF_SEVERAL_SCANS)
@pytest.mark.parametrize("has_jfif", [True, False])
@pytest.mark.parametrize("least_size", [(96, 64), (48, 32), (24, 16), (12, 8)])
def test_leaves_out_scans_of_colour_without_changing_grey(
    name: str, has_jfif: bool, least_size: tuple[int, int]
) -> None:
    jpeg = JPEGS_OF_SEVERAL_SCANS[name]()
    jpeg = jpeg if has_jfif else jpeg[:2] + jpeg[20:]

    grey = select_jpeg_parts(jpeg, is_grey=True).photograph

    assert len(grey) < len(jpeg)
    assert _decode_grey(grey, least_size) == _decode_grey(jpeg, least_size)
    assert select_jpeg_parts(jpeg).photograph is jpeg


@pytest.mark.parametrize(
    "jpeg",
    [
        make_jpeg(),
        make_jpeg(progressive=True, keep_rgb=True),
        encode(make_scene().convert("L"), "JPEG", progressive=True),
        encode(make_scene().convert("CMYK"), "JPEG", progressive=True),
    ],
    ids=["one-scan", "RGB", "grey", "CMYK"],
)
def test_keeps_all_scans_of_a_jpeg_without_scans_of_colour_alone(jpeg: bytes) -> None:
    assert select_jpeg_parts(jpeg, is_grey=True).photograph is jpeg


@pytest.mark.parametrize("transform", [b"\0", b"\1"])
def test_adobes_segment_decides_whether_colours_can_be_left_out(transform: bytes) -> None:
    jpeg = make_jpeg(progressive=True)
    jpeg = jpeg[:2] + make_jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0" + transform) + jpeg[20:]

    grey = select_jpeg_parts(jpeg, is_grey=True).photograph

    assert (grey is jpeg) == (transform == b"\0")
    assert _decode_grey(grey, (96, 64)) == _decode_grey(jpeg, (96, 64))


def test_keeps_averages_of_colour_because_the_decoder_asks_for_them() -> None:
    averages, details = (make_jpeg_segment(0xDA, bytes((1, 2, 0, first, first, 0))) for first in (0, 1))
    jpeg = make_jpeg(progressive=True)

    grey = select_jpeg_parts(jpeg[:-2] + averages + details + jpeg[-2:], is_grey=True).photograph

    assert averages in grey
    assert details not in grey


def test_refuses_a_jpeg_that_ends_in_a_scan_of_colour() -> None:
    jpeg = make_jpeg_of_three_scans()

    with pytest.raises(PhotographTruncatedError):
        normalize(jpeg[: jpeg.rindex(b"\xff\xda") + 20])


def test_refuses_thousands_of_parts_after_the_first_scan() -> None:
    jpeg = make_jpeg(progressive=True)

    with pytest.raises(TooComplexError, match="too many parts after"):
        normalize(jpeg[:-2] + make_jpeg_segment(0xFE, b"") * 5000 + jpeg[-2:])


def test_keeps_a_file_without_descriptions_as_it_is() -> None:
    assert select_png_parts(PLAIN_PNG).photograph is PLAIN_PNG


def _decode_grey(jpeg: bytes, least_size: tuple[int, int]) -> bytes:
    image = Image.open(BytesIO(jpeg))
    image.draft("L", least_size)
    assert image.mode == "L"
    return image.tobytes()
