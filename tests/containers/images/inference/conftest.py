"""A model that was trained once on made-up photographs."""

from pathlib import Path

import pytest

from headrace.workloads.photographs import make_photographs
from tests.containers.images.training.image_roots import train_on_photographs


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six classes of eight made-up photographs."""
    folder = tmp_path_factory.mktemp("photographs") / "made"
    make_photographs(folder, classes=6, per_class=8, seed=5)
    return folder


@pytest.fixture(scope="session")
def trained_images(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Path:
    """The root of an image training job over them."""
    root = tmp_path_factory.mktemp("trained_images")
    train_on_photographs(root, photographs)
    return root
