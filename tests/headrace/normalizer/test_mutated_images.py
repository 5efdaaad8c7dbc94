"""Damaged photographs of every kind end in a normalized image or in an error of ours, and in nothing else."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.normalizer.errors import NormalizeError
from headrace.normalizer.limits import Limits
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Colour, Options
from tests.examples import count_examples

from .made_images import encode, make_jpeg, make_scene, orient

SEEDS = (
    make_jpeg(48, 32, exif=orient(6)),
    make_jpeg(48, 32, progressive=True),
    encode(make_scene(48, 32).convert("CMYK"), "JPEG"),
    encode(make_scene(48, 32), "PNG", exif=orient(3)),
    encode(make_scene(48, 32).quantize(4), "PNG"),
    encode(make_scene(48, 32), "WEBP", exif=orient(8)),
    encode(make_scene(48, 32), "WEBP", lossless=True),
    encode(make_scene(48, 32), "GIF", save_all=True, append_images=[make_scene(48, 32).rotate(90)]),
    encode(make_scene(48, 32), "TIFF", compression="tiff_lzw"),
    encode(make_scene(48, 32).convert("CMYK"), "TIFF"),
    encode(make_scene(48, 32), "BMP"),
)
SMALL = Limits(pixels=4_000_000, decoding_bytes=32 * 1024 * 1024)
SIGNATURE_BYTES = 4


@st.composite
def mutated_images(draw: st.DrawFn) -> bytes:
    """A valid image with some bytes changed, put in, taken out or cut off; most near the front, where headers are."""
    image = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        last = draw(st.sampled_from([min(64, len(image) - 1), len(image) - 1]))
        at = draw(st.integers(SIGNATURE_BYTES, max(SIGNATURE_BYTES, last)))
        length = draw(st.sampled_from([0, 1, 2, 4]))
        image[at : at + length] = draw(st.binary(max_size=4) | st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0"]))
    end = draw(st.none() | st.integers(SIGNATURE_BYTES, len(image)))
    return bytes(image[:end])


# Pillow warns of damaged metadata, which is not a reason to refuse an image.
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=count_examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_images(), st.sampled_from(Colour))
def test_ends_in_a_normalized_image_or_in_an_error_of_ours(photograph: bytes, colour: Colour) -> None:
    with suppress(NormalizeError):
        assert normalize(photograph, Options(width=16, height=16, colour=colour), SMALL)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_end_in_an_error_of_ours(photograph: bytes) -> None:
    with pytest.raises(NormalizeError):
        normalize(photograph)
