"""A model that was trained once on made-up pictures."""

from pathlib import Path

import pytest

from headrace.workloads.photographs import make_pictures
from tests.containers.images.training.image_roots import train_on_pictures


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six classes of eight made-up pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "made"
    make_pictures(folder, classes=6, per_class=8, seed=5)
    return folder


@pytest.fixture(scope="session")
def trained_images(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """The root of an image training job over them."""
    root = tmp_path_factory.mktemp("trained_images")
    train_on_pictures(root, pictures)
    return root
