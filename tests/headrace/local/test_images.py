"""Containers as processes: the program their Dockerfile names, the packages they pin."""

from pathlib import Path

import pytest

from headrace.container_images import CONTAINERS_DIRECTORY, list_modules
from headrace.contract import Container
from headrace.local.images import Environments, ImageError, PushedImages, push, read_entrypoint
from headrace.local.sagemaker.images import ImageNotFoundError

URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/training:abc"


@pytest.mark.parametrize("container", list(Container))
def test_reads_the_program_of_each_container(container: Container) -> None:
    assert read_entrypoint(CONTAINERS_DIRECTORY / container / "Dockerfile") == ["python", "-m", container.value]


@pytest.mark.parametrize("instruction", ["", "ENTRYPOINT python -m training", 'ENTRYPOINT ["java", "-jar", "x.jar"]'])
def test_refuses_a_dockerfile_whose_program_is_not_python(tmp_path: Path, instruction: str) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM scratch\n{instruction}\n")

    with pytest.raises(ImageError, match='expected ENTRYPOINT \\["python", …\\]'):
        read_entrypoint(dockerfile)


def test_runs_a_pushed_image_with_its_own_python(tmp_path: Path) -> None:
    push(tmp_path, {URI: Container.TRAINING}, {Container.TRAINING: tmp_path / "environment"})

    image = PushedImages(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).resolve(URI)

    assert image.entrypoint == (str(tmp_path / "environment" / "bin" / "python"), "-m", "training")
    assert image.environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_shows_a_program_the_modules_that_its_image_carries_and_no_others(tmp_path: Path) -> None:
    push(tmp_path, {URI: Container.TRAINING}, {Container.TRAINING: tmp_path / "environment"})

    folder = Path(PushedImages(tmp_path, {}).resolve(URI).environment["PYTHONPATH"])

    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(list_modules(Container.TRAINING))


def test_keeps_the_callers_environment_out_of_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "shh")
    push(tmp_path, {URI: Container.TRAINING}, {Container.TRAINING: tmp_path})

    assert "SECRET" not in PushedImages(tmp_path, {}).resolve(URI).environment


def test_knows_no_image_that_was_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError, match="Requested image nowhere:1 not found"):
        PushedImages(tmp_path, {}).resolve("nowhere:1")


def test_has_a_place_of_its_own_for_each_containers_packages(tmp_path: Path) -> None:
    assert len(set(Environments(tmp_path).paths().values())) == len(Container)
