"""Made-up pictures, and a job that ran once over them."""

from pathlib import Path

import pytest

from headrace.workloads.photographs import make_pictures
from tests.containers.images.training.image_roots import train_on_pictures


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of twelve made-up pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "made"
    make_pictures(folder, classes=4, per_class=12, seed=5)
    return folder


@pytest.fixture(scope="session")
def trained_images(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """The root of an image training job over them."""
    root = tmp_path_factory.mktemp("trained_images")
    train_on_pictures(root, pictures)
    return root


@pytest.fixture(scope="session")
def real_images(repository: Path) -> Path:
    """Twelve classes of photographs, which are not part of the repository."""
    folder = repository.parent / "shared/data/images/classes"
    if not folder.is_dir():
        pytest.skip("../shared/data/images/classes is absent")
    return folder
