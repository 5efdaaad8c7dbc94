from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.image_training import examples
from containers.image_training.examples import read_examples
from containers.image_training.features import FeatureSettings
from containers.image_training.lists import ImageList, Row

SETTINGS = FeatureSettings(side=64)


@pytest.fixture
def images(tmp_path: Path) -> ImageList:
    """Seven noisy images, the fifth of them broken."""
    for number in range(7):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    (tmp_path / "4.png").write_bytes(b"broken")
    rows = [Row(number + 1, number, number % 3, f"{number}.png") for number in range(7)]
    return ImageList(tmp_path / "images.lst", "any list", tmp_path, rows)


def test_keeps_the_order_of_the_list_without_bad_images(images: ImageList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "BATCH", 3)

    read = read_examples(images, SETTINGS, mirror=False)

    assert read.classes.tolist() == [0, 1, 2, 0, 2, 0]
    assert read.features.shape[:2] == (6, 1)
    assert [image.path for image in read.bad] == ["4.png"]
    alone = read_examples(ImageList(images.path, images.name, images.images, images.rows[6:]), SETTINGS, mirror=False)
    assert np.array_equal(read.features[5], alone.features[0])


def test_adds_mirror_images_as_second_views(images: ImageList) -> None:
    path = images.images / "0.png"
    with Image.open(path) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(images.images / "1.png")

    features = read_examples(images, SETTINGS, mirror=True).features

    assert np.array_equal(features[0, 1], features[1, 0])
    assert not np.array_equal(features[0, 0], features[0, 1])
