"""What an attacker might send, or a machine whose disk was full."""

import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from headrace.normalizer.errors import (
    EmptyBodyError,
    NormalizeError,
    NotAPhotographError,
    PhotographCorruptError,
    PhotographTooLargeError,
    PhotographTruncatedError,
    TooComplexError,
    TooManyBytesError,
    UnsupportedFormatError,
)
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize
from tests.memory_groups import limiting_memory
from tests.tables import mark_full

from .bounded_runs import FUNCTION_MIB, run_apart
from .hostile_images import make_hostile_images
from .made_images import (
    claim_jpeg_size,
    encode,
    make_jpeg,
    make_png_chunk,
    make_png_header,
    make_scene,
    repeat_last_scan,
)

CODES = {error.code for error in NormalizeError.__subclasses__()}
NOISE = Image.effect_noise((64, 64), 50)
PNG_START = make_png_header(8, 8)[:33]


def make_tiff_of_strips(strips: int) -> bytes:
    entries = [(256, 4, 1, 1), (257, 4, 1, strips), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, strips, 8), (278, 3, 1, 1)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4 + 4 * strips)


def make_bmp_of_runs(size: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, 4000, 4000, 1, 8, 1, size, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + size, 0, 0, 54 + 1024) + header + bytes(1024 + size)


def make_webp_of_size(size: int) -> bytes:
    return b"RIFF\xff\xff\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + 2 * (size - 1).to_bytes(3, "little") + bytes(64)


def make_gif_of_frame(side: int) -> bytes:
    return (
        b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\2\0;"
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], type[NormalizeError]]] = {
    "nothing": (lambda: b"", EmptyBodyError),
    "text": (lambda: b"Access denied", NotAPhotographError),
    "html": (lambda: b"<!DOCTYPE html><title>404</title>", NotAPhotographError),
    "one-byte": (lambda: b"\xff", NotAPhotographError),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormatError),
    "pdf": (lambda: b"%PDF-1.7", UnsupportedFormatError),
    "heic": (lambda: b"\0\0\0\x18ftypheic", UnsupportedFormatError),
    "jpeg-2000": (lambda: encode(make_scene(), "JPEG2000"), UnsupportedFormatError),
    "float-tiff": (lambda: encode(Image.new("F", (8, 8)), "TIFF"), UnsupportedFormatError),
    "jpeg-start": (lambda: make_jpeg()[:3], PhotographTruncatedError),
    "jpeg-header": (lambda: make_jpeg()[:100], PhotographTruncatedError),
    "half-a-jpeg": (lambda: encode(NOISE, "JPEG")[:2000], PhotographTruncatedError),
    "half-a-progressive-jpeg": (lambda: encode(NOISE, "JPEG", progressive=True)[:2000], PhotographTruncatedError),
    "half-a-png": (lambda: encode(NOISE, "PNG")[:2000], PhotographTruncatedError),
    "half-a-gif-header": (lambda: b"GIF89a\1\0", PhotographTruncatedError),
    "half-a-webp-header": (lambda: b"RIFF\0\0\0\0WEBPVP8 \0\0", PhotographTruncatedError),
    "odd-webp": (lambda: b"RIFF\0\0\0\0WEBPABCD\0\0\0\0", PhotographCorruptError),
    "odd-gif": (lambda: b"GIF89a" + bytes(1000), PhotographCorruptError),
    "bmp-start": (lambda: b"BM", PhotographCorruptError),
    "flipped-png": (
        lambda: bytes(255 - byte if at > 60 else byte for at, byte in enumerate(encode(make_scene(), "PNG"))),
        PhotographCorruptError,
    ),
    "jpeg-of-900-megapixels": (lambda: claim_jpeg_size(make_jpeg(), 30_000, 30_000), PhotographTooLargeError),
    "png-of-900-megapixels": (lambda: make_png_header(30_000, 30_000), PhotographTooLargeError),
    "png-of-gigabytes": (lambda: make_png_header(2**31 - 1, 2**31 - 1), PhotographTooLargeError),
    "progressive-jpeg-of-90-megapixels": (
        lambda: claim_jpeg_size(make_jpeg(progressive=True), 10_000, 9_000),
        PhotographTooLargeError,
    ),
    "webp-of-gigabytes": (lambda: make_webp_of_size(16_383), PhotographTooLargeError),
    "webp-of-12-megapixels": (lambda: make_webp_of_size(3_500), PhotographTooLargeError),
    "gif-of-gigabytes": (lambda: make_gif_of_frame(65_535), PhotographTooLargeError),
    "jpeg-of-3000-scans": (lambda: repeat_last_scan(make_jpeg(progressive=True), 3000), TooComplexError),
    "large-jpeg-of-60-scans": (
        lambda: repeat_last_scan(claim_jpeg_size(make_jpeg(progressive=True), 7000, 6000), 50),
        TooComplexError,
    ),
    "jpeg-of-a-million-comments": (
        lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 1_000_000 + make_jpeg()[2:],
        TooComplexError,
    ),
    "jpeg-of-stray-bytes": (lambda: b"\xff\xd8\xff\xfe\0\2" + bytes(8_000_000) + make_jpeg()[2:], TooComplexError),
    "png-of-a-million-chunks": (lambda: PNG_START + make_png_chunk(b"IDAT", b"") * 1_000_000, TooComplexError),
    "png-of-text": (
        lambda: PNG_START + make_png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))),
        PhotographCorruptError,
    ),
    "tiff-of-a-million-strips": (lambda: make_tiff_of_strips(1_000_000), TooComplexError),
    "bmp-of-runs": (lambda: make_bmp_of_runs(8_000_000), TooComplexError),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_with_an_error_of_its_own(name: str) -> None:
    make, error = HOSTILE[name]

    with pytest.raises(error) as raised:
        normalize(make())

    assert raised.value.reason


def test_refuses_three_thousand_scans_at_once() -> None:
    photograph = repeat_last_scan(make_jpeg(2000, 1500, progressive=True), 3000)
    start = time.process_time()

    with pytest.raises(TooComplexError):
        normalize(photograph)

    assert time.process_time() - start < 0.5


def test_refuses_a_file_of_too_many_bytes_before_looking_at_it() -> None:
    with pytest.raises(TooManyBytesError, match="5 bytes, more than 4"):
        normalize(b"12345", limits=Limits(file_bytes=4))


def test_counts_the_scans_of_the_first_image_only() -> None:
    jpeg = make_jpeg(progressive=True)

    assert normalize(jpeg + jpeg * 40) == normalize(jpeg)


def test_reads_a_jpeg_with_a_few_stray_bytes() -> None:
    jpeg = make_jpeg()

    assert normalize(jpeg[:2] + b"\xff\xfe\0\2" + bytes(100) + jpeg[2:]) == normalize(jpeg)


@pytest.mark.slow
def test_stays_within_the_functions_memory_when_an_image_is_just_within_the_limits(tmp_path: Path) -> None:
    largest = {
        "baseline.jpg": encode(Image.new("RGB", (10_000, 9_900), "teal"), "JPEG"),
        "progressive.jpg": encode(Image.new("RGB", (8000, 6000), "teal"), "JPEG", progressive=True),
        "alpha.png": encode(Image.new("RGBA", (4600, 4500), "teal"), "PNG"),
        "frame.gif": encode(Image.new("P", (8900, 8900)), "GIF"),
        "one-frame.webp": encode(Image.new("RGB", (3600, 2900), "teal"), "WEBP", method=0),
        "lzw.tif": encode(Image.new("RGB", (4000, 3000), "teal"), "TIFF", compression="tiff_lzw"),
    }
    for name, photograph in largest.items():
        (tmp_path / name).write_bytes(photograph)

    runs = [run for name in largest for run in run_apart([tmp_path / name])]

    assert [run for run in runs if not run.ending.endswith("bytes")] == []
    assert [run for run in runs if run.seconds > 5 or run.peak_mib > FUNCTION_MIB] == []


def test_decodes_a_24_megapixel_photograph_within_100_mib(tmp_path: Path) -> None:
    photograph = tmp_path / "photograph.jpg"
    photograph.write_bytes(
        encode(
            Image.effect_mandelbrot((600, 400), (-2.0, -1.2, 1.0, 1.2), 60).resize((6000, 4000)).convert("RGB"), "JPEG"
        )
    )

    (run,) = run_apart([photograph])

    assert run.ending.endswith("bytes")
    assert run.peak_mib < 100


@pytest.mark.slow
@pytest.mark.parametrize("part", mark_full("hostile-images", range(4), but=[0]))
def test_thousands_of_hostile_images_end_normalized_or_in_an_error_of_ours(part: int, tmp_path: Path) -> None:
    files = [tmp_path / f"{number:03}" for number in range(900)]
    for file, photograph in zip(files, make_hostile_images(len(files), seed=part), strict=True):
        file.write_bytes(photograph)

    with limiting_memory(FUNCTION_MIB * 1024 * 1024) as group:
        runs = run_apart(files, {"colour": "rgb", "width": "64"}, group)

    assert [run for run in runs if not (run.ending.endswith("bytes") or run.ending in CODES)] == []
    assert len(runs) == len(files)
