import contextlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from containers.shared.images.decoding import DecodingError, decode_photograph
from tests.conftest import PROJECT
from tests.headrace.normalizer.hostile_images import make_hostile_images
from tests.headrace.normalizer.made_images import make_jpeg, make_png, make_png_chunk, repeat_last_scan
from tests.memory_groups import limiting_memory

TOLERANCE = 12


def encode(image: Image.Image, form: str = "PNG", **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer


def refuse(content: bytes) -> str:
    with pytest.raises(DecodingError) as raised:
        decode_photograph(io.BytesIO(content), 32)
    return str(raised.value)


def declare_png(width: int, height: int) -> bytes:
    """A PNG file that ends where its pixels should begin."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(("mode", "colour", "seen"), [("RGB", (200, 30, 90), (200, 30, 90)), ("L", 77, (77, 77, 77))])
def test_gives_a_square_of_rgb_pixels(
    form: str, mode: str, colour: tuple[int, ...] | int, seen: tuple[int, ...]
) -> None:
    pixels = decode_photograph(encode(Image.new(mode, (80, 50), colour), form), 32)

    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - seen).max() <= 3


def test_decodes_cmyk() -> None:
    pixels = decode_photograph(encode(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), 32)

    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= TOLERANCE


def test_shows_transparent_parts_white() -> None:
    assert decode_photograph(encode(Image.new("RGBA", (40, 40), (0, 0, 0, 0))), 32).min() == 255


def test_scales_sixteen_bits_to_eight() -> None:
    grey = Image.fromarray(np.full((40, 40), 0x8000, dtype=np.uint16))

    assert set(decode_photograph(encode(grey), 32).ravel().tolist()) == {0x80}


def test_turns_images_upright() -> None:
    image = Image.new("RGB", (60, 40), "white")
    image.paste((0, 0, 0), (0, 0, 60, 20))
    exif = Image.Exif()
    exif[0x0112] = 6

    pixels = decode_photograph(encode(image, "JPEG", exif=exif), 32)

    assert pixels[:, 24:].max() < TOLERANCE
    assert pixels[:, :8].min() > 255 - TOLERANCE


def test_sees_nearly_the_same_in_a_larger_copy() -> None:
    ramp = Image.linear_gradient("L").convert("RGB")

    small, large = (decode_photograph(encode(ramp.resize((side, side)), "JPEG"), 64) for side in (100, 1600))

    assert np.abs(small.astype(int) - large).max() <= TOLERANCE


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"nonsense"])
def test_refuses_what_is_neither_jpeg_nor_png(content: bytes) -> None:
    assert refuse(content) == "neither a JPEG nor a PNG file"


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_refuses_a_file_that_is_cut_short(form: str) -> None:
    noise = Image.effect_noise((100, 100), 80).convert("RGB")

    assert refuse(encode(noise, form).getvalue()[:2000]).startswith(f"damaged: the {form} ends too early: ")


@pytest.mark.parametrize(("width", "height"), [(10_000, 5_001), (12_000, 12_000), (60_000, 60_000)])
def test_refuses_a_bomb_before_decoding_it(width: int, height: int) -> None:
    assert refuse(declare_png(width, height)) == f"it declares {width} x {height} pixels, more than 50000000"


@pytest.mark.parametrize(
    ("width", "height", "form"),
    [(1, 49_000_000, {"bits": 1, "colour": 0}), (7000, 7000, {"colour": 6}), (1, 50_000_000, {"colour": 0})],
    ids=["thin", "translucent", "thin-grey"],
)
def test_refuses_what_would_take_too_much_memory_before_decoding_it(
    width: int, height: int, form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded"))

    assert "MiB of memory, more than" in refuse(make_png(width, height, **form))


def test_refuses_more_scans_than_photographs_have() -> None:
    assert "scans" in refuse(repeat_last_scan(make_jpeg(progressive=True), 3000))


def test_refuses_a_palette_image_without_a_palette() -> None:
    assert refuse(make_png(1, 1, colour=3)) == "damaged: the PNG is damaged: AssertionError"


def test_takes_text_that_is_called_exif_for_text() -> None:
    text = make_png_chunk(b"iTXt", b"exif\0\0\0\0\0text")

    assert decode_photograph(io.BytesIO(make_png(9, 9, parts=text)), 32).shape == (32, 32, 3)


def test_refuses_a_file_that_is_too_large_without_reading_all_of_it(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.write(make_png(1, 1))
        file.truncate(1 << 40)

    with pytest.raises(DecodingError, match="the file has"):
        decode_photograph(tmp_path / "large.png", 32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "form"),
    [(1280, 30_000, {}), (10, 4_000_000, {"colour": 0}), (4400, 4400, {"colour": 6}), (49, 1_000_000, {})],
    ids=["screenshot", "tall", "translucent", "thin"],
)
def test_decodes_or_refuses_in_the_memory_of_a_small_container(
    width: int, height: int, form: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "image").write_bytes(make_png(width, height, **form))
    program = (
        "import os, sys; from pathlib import Path; from contextlib import suppress\n"
        "Path(sys.argv[1], 'cgroup.procs').write_text(str(os.getpid()))\n"
        "from containers.shared.images.decoding import DecodingError, decode_photograph\n"
        "with suppress(DecodingError): decode_photograph(Path(sys.argv[2]), 96)\n"
    )

    with limiting_memory(320 * 1024 * 1024) as group:
        command = [sys.executable, "-W", "ignore", "-c", program, str(group), str(tmp_path / "image")]
        done = subprocess.run(command, cwd=PROJECT, check=False)

    assert done.returncode == 0


@given(st.binary(max_size=30), st.integers(0, 900), st.sampled_from(["JPEG", "PNG"]))
def test_decodes_or_refuses_whatever_it_is_given(damage: bytes, place: int, form: str) -> None:
    content = bytearray(encode(Image.linear_gradient("L").resize((40, 40)).convert("RGB"), form).getvalue())
    content[place : place + len(damage)] = damage

    with contextlib.suppress(DecodingError):
        assert len(decode_photograph(io.BytesIO(content), 32)) == 32


@pytest.mark.filterwarnings("ignore")
def test_decodes_or_refuses_hostile_images_of_every_kind() -> None:
    for photograph in make_hostile_images(600, seed=17):
        with contextlib.suppress(DecodingError):
            assert decode_photograph(io.BytesIO(photograph), 32).shape == (32, 32, 3)
