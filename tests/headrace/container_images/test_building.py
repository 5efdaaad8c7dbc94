from pathlib import Path

import pytest

from headrace.container_images import CONTAINERS_DIRECTORY, DOCKERFILE
from headrace.container_images.building import (
    UNKNOWN_REVISION,
    BuildSettings,
    find_revision,
    list_build_arguments,
    read_base_image,
)
from headrace.container_images.engine import EngineName
from headrace.recipes import ContainerImage, big_mart, list_container_images

PIP_CONFIGURATION = Path("/pip.conf")

ENDPOINTS = {
    "inference",
    "image_inference",
    "xgboost",
    "forecasting",
    "resnet",
    "linear_learner",
    "blazingtext",
    "seq2seq",
    "detection",
}


def list_arguments(engine: EngineName, settings: BuildSettings | None = None) -> list[str]:
    return list_build_arguments(engine, big_mart.TRAINING, settings or BuildSettings(), "abc", PIP_CONFIGURATION)


@pytest.mark.parametrize("engine", list(EngineName))
def test_builds_for_the_processor_of_sagemakers_instances(engine: EngineName) -> None:
    arguments = " ".join(list_arguments(engine))

    assert arguments.startswith("build --platform linux/amd64 ")


@pytest.mark.parametrize("engine", list(EngineName))
def test_labels_the_image_with_the_revision(engine: EngineName) -> None:
    assert "--label org.opencontainers.image.revision=abc" in " ".join(list_arguments(engine))


def test_asks_docker_for_one_manifest_without_a_provenance() -> None:
    assert "--provenance=false" in list_arguments(EngineName.DOCKER)


def test_asks_podman_for_fixed_times() -> None:
    assert "--timestamp 0" in " ".join(list_arguments(EngineName.PODMAN))


def test_uses_the_base_image_of_the_dockerfile_when_none_is_given() -> None:
    assert not any("BASE_IMAGE" in argument for argument in list_arguments(EngineName.PODMAN))


def test_puts_another_base_image_in_place() -> None:
    arguments = list_arguments(EngineName.PODMAN, BuildSettings(base_image="localhost/base:1"))

    assert "--build-arg BASE_IMAGE=localhost/base:1" in " ".join(arguments)


@pytest.mark.parametrize("engine", list(EngineName))
def test_shows_certificates_to_the_build_only(engine: EngineName) -> None:
    arguments = " ".join(list_arguments(engine, BuildSettings(ca_bundle=Path("/ca.pem"))))

    assert "--secret id=ca,src=/ca.pem --secret id=pip,src=/pip.conf" in arguments


def test_knows_no_revision_outside_of_git(tmp_path: Path) -> None:
    assert find_revision([tmp_path]) == UNKNOWN_REVISION


def test_reads_the_base_image_that_the_dockerfile_names() -> None:
    assert read_base_image(CONTAINERS_DIRECTORY / DOCKERFILE).startswith("docker.io/library/python:3.13-slim")


@pytest.mark.parametrize("container", list_container_images(), ids=str)
def test_says_which_image_it_builds(container: ContainerImage) -> None:
    arguments = list_build_arguments(EngineName.PODMAN, container, BuildSettings(), "abc", PIP_CONFIGURATION)

    stage = "endpoint" if container.name in ENDPOINTS else "job"
    assert f"--target {stage} --build-arg PACKAGE={container.package} " in " ".join(arguments)
    assert f"org.opencontainers.image.title=headrace/{container}" in arguments
    assert f"org.opencontainers.image.description={container.description}" in arguments
