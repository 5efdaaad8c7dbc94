"""An image's tag names its content, wherever that lies in the repository."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headrace.container_images import (
    CONTAINERS_DIRECTORY,
    TORCH_FILE,
    container_image_tag,
    list_modules,
    stage_context,
    stage_program,
)
from headrace.recipes import ContainerImage, big_mart, list_container_images


@pytest.fixture
def containers(tmp_path: Path) -> Path:
    folder = tmp_path / "containers" / "big_mart" / "training"
    folder.mkdir(parents=True)
    (tmp_path / "containers" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "requirements.txt").write_text("numpy==2.0\n")
    (folder / "train.py").write_text("print('trained')\n")
    return folder.parents[1]


def tag(containers: Path) -> str:
    return container_image_tag(big_mart.TRAINING, containers)


def test_is_the_same_for_the_same_content_elsewhere(containers: Path, tmp_path: Path) -> None:
    before = tag(containers)
    moved = containers.rename(tmp_path / "elsewhere")

    assert tag(moved) == before


def test_changes_when_a_file_changes(containers: Path) -> None:
    before = tag(containers)
    (containers / "big_mart" / "training" / "train.py").write_text("print('trained better')\n")

    assert tag(containers) != before


def test_changes_when_a_file_is_renamed(containers: Path) -> None:
    before = tag(containers)
    (containers / "big_mart" / "training" / "train.py").rename(containers / "big_mart" / "training" / "fit.py")

    assert tag(containers) != before


def test_ignores_what_never_enters_the_image(containers: Path) -> None:
    before = tag(containers)
    (containers / "big_mart" / "training" / "__pycache__").mkdir()
    (containers / "big_mart" / "training" / "__pycache__" / "train.pyc").write_bytes(b"\0")
    (containers / "big_mart" / "training" / "requirements.in").write_text("numpy\n")

    assert tag(containers) == before


@pytest.mark.parametrize("name", ["Dockerfile", "big_mart/training/requirements.txt"])
def test_changes_when_the_image_is_made_otherwise(containers: Path, name: str) -> None:
    before = tag(containers)
    (containers / name).write_text("# something else\n")

    assert tag(containers) != before


@pytest.mark.parametrize("change", [{"is_endpoint": True}, {"description": "Trains otherwise"}])
def test_changes_when_a_build_argument_changes(containers: Path, change: dict[str, Any]) -> None:
    assert container_image_tag(replace(big_mart.TRAINING, **change), containers) != tag(containers)


def test_changes_when_a_module_that_it_carries_changes(containers: Path) -> None:
    (containers / "big_mart" / "training" / "modules.txt").write_text("library/reading.py\n")
    (containers.parent / "library").mkdir()
    module = containers.parent / "library" / "reading.py"
    module.write_text("print('read')\n")
    before = tag(containers)
    module.write_text("print('read better')\n")

    assert tag(containers) != before


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_stages_what_the_tag_names(container: ContainerImage, tmp_path: Path) -> None:
    stage_context(container, tmp_path)

    staged = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    program = {path for path in staged if path.startswith("program/")}
    assert staged - program == {"Dockerfile", "requirements.txt"} | ({TORCH_FILE} if container.needs_torch else set())
    assert f"program/containers/{container.folder}/__main__.py" in program
    assert program > {f"program/{module}" for module in list_modules(container)}


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_stages_modules_as_they_lie_in_the_image(container: ContainerImage, tmp_path: Path) -> None:
    stage_program(container, tmp_path)

    for module in list_modules(container):
        assert (tmp_path / module).read_bytes() == (CONTAINERS_DIRECTORY.parent / module).read_bytes()
