import sys
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.container_images.engine import Engine, EngineError, EngineName
from headrace.local.engine.brought_container_images import bring_engine_image, bring_python
from headrace.local.engine.container_images import PushedContainerImages
from headrace.local.sagemaker.container_images import ContainerImageNotFoundError

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
OTHER = "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1"
PYTHON = Path(sys.executable)


def put_engine(folder: Path, monkeypatch: pytest.MonkeyPatch, *, has_image: bool) -> Engine:
    program = folder / "podman"
    program.write_text(f"#!/bin/sh\nexit {0 if has_image else 1}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Engine(EngineName.PODMAN)


def test_runs_a_brought_image_with_its_interpreter_first_in_path(tmp_path: Path) -> None:
    bring_python(tmp_path, URI, PYTHON, program=None)

    image = PushedContainerImages(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).resolve(URI)

    assert image.entrypoint == (str(PYTHON),)
    assert image.environment["PATH"].split(":")[0] == str(PYTHON.parent)
    assert image.environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_runs_the_program_of_a_brought_image_in_its_folder(tmp_path: Path) -> None:
    bring_python(tmp_path, URI, PYTHON, tmp_path / "train.py")

    image = PushedContainerImages(tmp_path, {}).resolve(URI)

    assert image.entrypoint == (str(PYTHON), str(tmp_path / "train.py"))
    assert image.working_directory == tmp_path


def test_keeps_every_image_that_was_brought_also_when_the_cloud_starts_anew(tmp_path: Path) -> None:
    bring_python(tmp_path, URI, PYTHON, program=None)
    bring_python(tmp_path, OTHER, PYTHON, program=None)
    registry = PushedContainerImages(tmp_path, {})

    registry.empty()

    # Digests are those of their addresses.
    assert replace(registry.resolve(URI), digest="") == replace(registry.resolve(OTHER), digest="")


def test_runs_an_image_of_an_engine_as_its_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_engine_image(tmp_path, URI, put_engine(tmp_path, monkeypatch, has_image=True), "mine:latest")

    container = PushedContainerImages(tmp_path, {}).resolve(URI).container

    assert container
    assert (container.engine, container.image) == ("podman", "mine:latest")


def test_refuses_an_image_that_the_engine_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = put_engine(tmp_path, monkeypatch, has_image=False)

    with pytest.raises(EngineError, match="podman has no container image mine:latest: pull or build it first"):
        bring_engine_image(tmp_path, URI, engine, "mine:latest")


def test_says_how_to_bring_an_image_that_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(
        ContainerImageNotFoundError, match=f"Requested image {URI} not found.*headrace local bring {URI}"
    ):
        PushedContainerImages(tmp_path, {}).resolve(URI)
