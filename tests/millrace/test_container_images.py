"""An image's tag names its content."""

from pathlib import Path

import pytest

from millrace.container_images import image_tag
from millrace.contract import Container


@pytest.fixture
def containers(tmp_path: Path) -> Path:
    folder = tmp_path / "containers" / "training"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "train.py").write_text("print('trained')\n")
    return folder.parent


def tag(containers: Path) -> str:
    return image_tag(Container.TRAINING, containers)


def test_is_the_same_for_the_same_content_elsewhere(containers: Path, tmp_path: Path) -> None:
    before = tag(containers)
    moved = containers.rename(tmp_path / "elsewhere")

    assert tag(moved) == before


def test_changes_when_a_file_changes(containers: Path) -> None:
    before = tag(containers)
    (containers / "training" / "train.py").write_text("print('trained better')\n")

    assert tag(containers) != before


def test_changes_when_a_file_is_renamed(containers: Path) -> None:
    before = tag(containers)
    (containers / "training" / "train.py").rename(containers / "training" / "fit.py")

    assert tag(containers) != before


def test_ignores_what_never_enters_the_image(containers: Path) -> None:
    before = tag(containers)
    (containers / "training" / "__pycache__").mkdir()
    (containers / "training" / "__pycache__" / "train.pyc").write_bytes(b"\0")
    (containers / "training" / "requirements.in").write_text("numpy\n")

    assert tag(containers) == before
