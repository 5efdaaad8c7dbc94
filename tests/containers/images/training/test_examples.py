import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from containers.images.training import examples
from containers.images.training.examples import read_examples
from containers.images.training.lists import PhotographList, Row
from containers.images.training.recording import RecordedPhotographs
from containers.images.training.sources import ChannelPhotographs
from containers.shared.images.decoding import Pixels
from containers.shared.images.features import FeatureSettings, extract_features
from containers.shared.job.checkpoints import NO_CHECKPOINTS
from containers.shared.job.inputs import JobInputs
from tests.patience import PATIENCE_SECONDS

SETTINGS = FeatureSettings(side=64)


@pytest.fixture
def images(tmp_path: Path) -> PhotographList:
    """Seven noisy images, the fifth of them broken."""
    for number in range(7):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    (tmp_path / "4.png").write_bytes(b"broken")
    rows = [Row(number + 1, number, number % 3, f"{number}.png") for number in range(7)]
    return PhotographList(
        tmp_path / "images.lst",
        "any list",
        RecordedPhotographs(ChannelPhotographs(tmp_path), JobInputs(), "train"),
        rows,
    )


def test_keeps_the_order_of_the_list_without_bad_images(
    images: PhotographList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "BATCH", 3)

    read = read_examples(images, SETTINGS, views=1, checkpoints=NO_CHECKPOINTS)

    assert read.classes.tolist() == [0, 1, 2, 0, 2, 0]
    assert read.features.shape[:2] == (6, 1)
    assert [image.path for image in read.bad] == ["4.png"]
    alone = read_examples(replace(images, rows=images.rows[6:]), SETTINGS, views=1, checkpoints=NO_CHECKPOINTS)
    assert np.array_equal(read.features[5], alone.features[0])


def test_adds_mirror_images_as_second_views(images: PhotographList) -> None:
    with Image.open(images.path.with_name("0.png")) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(images.path.with_name("1.png"))

    features = read_examples(images, SETTINGS, views=2, checkpoints=NO_CHECKPOINTS).features

    assert np.array_equal(features[0, 1], features[1, 0])
    assert not np.array_equal(features[0, 0], features[0, 1])


class SlowPhotographs:
    """Photographs of which none comes before all have been asked for."""

    name = "a slow network"

    def __init__(self, count: int) -> None:
        self.threads = count
        self._all_asked = threading.Barrier(count, timeout=PATIENCE_SECONDS)

    def lacks(self, _path: str) -> bool:
        return False

    def measure(self, _path: str) -> int | None:
        return None

    def open(self, _path: str) -> BinaryIO:
        self._all_asked.wait()
        photograph = BytesIO()
        Image.new("RGB", (64, 64), "red").save(photograph, "PNG")
        photograph.seek(0)
        return photograph


def test_waits_for_many_photographs_but_works_on_as_many_as_there_are_cores(
    images: PhotographList, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most_at_work = set[int](), 0

    def watch(pixels: Pixels, settings: FeatureSettings) -> NDArray[np.float32]:
        nonlocal most_at_work
        at_work.add(threading.get_ident())
        most_at_work = max(most_at_work, len(at_work))
        # Long enough for another thread to come in, if it may.
        features = [extract_features(pixels, settings) for _ in range(10)]
        at_work.discard(threading.get_ident())
        return features[0]

    monkeypatch.setattr(examples, "count_cpus", lambda: 1)
    monkeypatch.setattr(examples, "extract_features", watch)

    slow = RecordedPhotographs(SlowPhotographs(len(images.rows)), JobInputs(), "train")

    read = read_examples(replace(images, photographs=slow), SETTINGS, views=1, checkpoints=NO_CHECKPOINTS)

    assert len(read.classes) == len(images.rows)
    assert most_at_work == 1
