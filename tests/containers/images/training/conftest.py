"""Made-up photographs, and a job that ran once over them."""

from pathlib import Path

import pytest

from headrace.workloads.photographs import make_photographs
from tests.containers.images.training.image_roots import train_on_photographs


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes of twelve made-up photographs."""
    folder = tmp_path_factory.mktemp("photographs") / "made"
    make_photographs(folder, classes=4, per_class=12, seed=5)
    return folder


@pytest.fixture(scope="session")
def trained_images(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Path:
    """The root of an image training job over them."""
    root = tmp_path_factory.mktemp("trained_images")
    train_on_photographs(root, photographs)
    return root


@pytest.fixture(scope="session")
def real_images(repository: Path) -> Path:
    """Twelve classes of photographs, which are not part of the repository."""
    folder = repository.parent / "shared/data/images/classes"
    if not folder.is_dir():
        pytest.skip("../shared/data/images/classes is absent")
    return folder
