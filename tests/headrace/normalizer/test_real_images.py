"""Real files of every awkward kind, where they lie beside the checkout."""

from pathlib import Path

import pytest

from tests.conftest import REAL_DATA

from .bounded_runs import FUNCTION_MIB, Run, run_apart

IMAGES = REAL_DATA / "images"

pytestmark = pytest.mark.skipif(
    not IMAGES.is_dir(), reason=f"the real images are not at {IMAGES}: their licences keep them out of the project"
)

# What the decoder this design follows refuses, too, or reads in formats that are left out here.
REFUSED = {
    "10ct_32bit_128.tiff": "UnsupportedFormat",
    "16bit.cropped.jp2": "UnsupportedFormat",
    "avif_hopper.avif": "UnsupportedFormat",
    "broken.png": "PhotographCorrupt",
    "crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "PhotographCorrupt",
    "crash-2020-10-test.tif": "PhotographCorrupt",
    "decompression_bomb.gif": "PhotographTooLarge",
    "decompression_bomb.ico": "UnsupportedFormat",
    "hopper_16bit.pgm": "UnsupportedFormat",
    "hopper_bigtiff.tif": "UnsupportedFormat",
    "l2rgb_read.bmp": "PhotographTooLarge",
    "moto_cat_16MP_truncated.jpg": "PhotographTruncated",
    "oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": "PhotographCorrupt",
    "python.ico": "UnsupportedFormat",
    "seek_too_large.tif": "UnsupportedFormat",
    "truncated_image.png": "PhotographTruncated",
    "truncated_jpeg.jpg": "PhotographTruncated",
    "zero_bytes.jpg": "EmptyBody",
}


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    folders = ("awkward", "derived", "exif_orientation", "photos")
    return run_apart([file for folder in folders for file in sorted((IMAGES / folder).iterdir())])


def test_every_file_ends_in_a_normalized_image_or_in_the_error_it_deserves(runs: list[Run]) -> None:
    refused = {run.file: run.ending for run in runs if not run.ending.endswith("bytes")}

    assert refused == REFUSED


def test_every_file_stays_within_the_functions_memory_and_five_seconds(runs: list[Run]) -> None:
    assert [run for run in runs if run.seconds > 5] == []
    assert runs[-1].peak_mib < FUNCTION_MIB


def test_reads_all_ordinary_photographs() -> None:
    photographs = sorted(Path(IMAGES / "classes").glob("*/*.jpg"))[::5]

    assert [run for run in run_apart(photographs) if not run.ending.endswith("bytes")] == []
