"""Many images come in their order, and none is lost."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from headrace.images import (
    ManifestError,
    NormalizedImageReader,
    NormalizedImageRefusedError,
    read_listed,
    read_manifest,
    read_normalized_images,
)
from headrace.images.addresses import Address, DoorKind
from headrace.lst import ListRow, write_lst

COUNT = 30


@pytest.fixture
def reader(tmp_path: Path) -> NormalizedImageReader:
    """Reads a folder of grey squares, each of its own grey."""
    for number in range(COUNT):
        Image.new("L", (8, 8), number * 8).save(tmp_path / f"{number}.png")
    address = Address(DoorKind.FOLDER, str(tmp_path))
    return NormalizedImageReader(address, {"width": 1, "height": 1, "output_format": "png"}, connections=4)


def test_reads_images_in_their_order(reader: NormalizedImageReader) -> None:
    read = list(read_normalized_images(((f"{number}.png", number) for number in range(COUNT)), reader))

    assert [image.label for image in read] == list(range(COUNT))
    assert len({image.body for image in read}) == COUNT


def test_reads_only_a_little_ahead(reader: NormalizedImageReader) -> None:
    asked: list[int] = []

    def ask() -> Iterator[tuple[str, int]]:
        for number in range(COUNT):
            asked.append(number)
            yield f"{number}.png", number

    images = read_normalized_images(ask(), reader)
    next(images)
    images.close()

    assert len(asked) == 2 * reader.connections


def test_ends_its_threads_when_nobody_reads_on(reader: NormalizedImageReader) -> None:
    before = threading.active_count()
    images = read_normalized_images(((f"{number}.png", number) for number in range(COUNT)), reader)
    next(images)

    images.close()

    assert threading.active_count() == before


def test_ends_with_the_first_image_that_is_refused(reader: NormalizedImageReader) -> None:
    images = read_normalized_images([("0.png", 0), ("none.png", 1), ("1.png", 2)], reader)

    assert next(images).label == 0
    with pytest.raises(NormalizedImageRefusedError, match=r"none\.png: NoSuchKey"):
        next(images)


def test_leaves_out_refused_images_when_somebody_is_told(reader: NormalizedImageReader) -> None:
    refused: list[NormalizedImageRefusedError] = []

    read = list(read_normalized_images([("none.png", 0), ("1.png", 1)], reader, refused=refused.append))

    assert [image.label for image in read] == [1]
    assert [error.key for error in refused] == ["none.png"]


def test_reads_the_images_of_a_list(reader: NormalizedImageReader, tmp_path: Path) -> None:
    rows = [ListRow(7, 1, "3.png"), ListRow(2, 0, "1.png")]
    write_lst(tmp_path / "train.lst", rows)

    assert [image.label for image in read_listed(tmp_path / "train.lst", reader, prefix="")] == rows


def test_reads_the_images_of_a_manifest(reader: NormalizedImageReader, tmp_path: Path) -> None:
    records = [{"source-ref": "s3://raw-images/2.png", "class": 4}, {"source-ref": "s3://raw-images/1.png"}]
    manifest = tmp_path / "train.manifest"
    manifest.write_text("\n".join(map(json.dumps, records)))

    read = list(read_manifest(manifest, reader))

    assert [image.label for image in read] == records
    assert [image.key for image in read] == ["2.png", "1.png"]


def test_takes_the_whole_rest_of_an_address_for_the_key(reader: NormalizedImageReader, tmp_path: Path) -> None:
    (tmp_path / "1.png").rename(tmp_path / "is it 1?#1.png")
    manifest = tmp_path / "train.manifest"
    manifest.write_text('{"source-ref": "s3://raw/is it 1?#1.png"}')

    assert [image.key for image in read_manifest(manifest, reader)] == ["is it 1?#1.png"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: an array"),
        ("{}", "line 2: 'source-ref' does not hold"),
        ('{"source-ref": "s3://raw"}', "line 2: 'source-ref' does not hold"),
    ],
)
def test_names_the_line_of_a_manifest_without_an_image(
    reader: NormalizedImageReader, tmp_path: Path, line: str, reason: str
) -> None:
    manifest = tmp_path / "train.manifest"
    manifest.write_text(f'{{"source-ref": "s3://raw/1.png"}}\n{line}\n')

    with pytest.raises(ManifestError, match=reason):
        list(read_manifest(manifest, reader))
