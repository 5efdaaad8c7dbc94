"""Containers as processes: their program, the packages they pin."""

import fcntl
from pathlib import Path

import pytest

from headrace.container_images import CONTAINERS_DIRECTORY, list_modules
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.container_images import (
    Environments,
    PushedContainerImages,
    push,
    remove_abandoned,
)
from headrace.local.sagemaker.container_images import ContainerImageNotFoundError
from headrace.recipes import big_mart, list_container_images, xgboost

URI = "000000000000.dkr.ecr.us-east-1.amazonaws.com/training:abc"


def test_runs_a_pushed_image_with_its_own_python(tmp_path: Path) -> None:
    push(tmp_path, {URI: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path / "environment"})

    image = PushedContainerImages(tmp_path, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).resolve(URI)

    assert image.entrypoint == (str(tmp_path / "environment" / "bin" / "python"), "-m", "containers.big_mart.training")
    assert image.environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_shows_a_program_the_modules_that_its_image_carries_and_no_others(tmp_path: Path) -> None:
    push(tmp_path, {URI: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path / "environment"})

    image = PushedContainerImages(tmp_path, {}).resolve(URI)

    folder = image.working_directory
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    program = CONTAINERS_DIRECTORY / "big_mart/training"
    own = {f"containers/big_mart/training/{path.name}" for path in program.glob("*.py")}
    assert found == set(list_modules(big_mart.TRAINING)) | own
    assert image.environment["PYTHONPATH"] == str(folder)


def test_keeps_what_was_pushed_before(tmp_path: Path) -> None:
    earlier, later = URI, URI.replace(":abc", ":def")
    push(tmp_path, {earlier: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path / "old"})
    push(tmp_path, {later: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path / "new"})

    registry = PushedContainerImages(tmp_path, {})

    folders = {uri: registry.resolve(uri) for uri in (earlier, later)}
    assert [image.entrypoint[0].split("/")[-3] for image in folders.values()] == ["old", "new"]
    assert len({image.working_directory for image in folders.values()}) == 2


def test_says_whose_place_a_program_of_ours_takes(tmp_path: Path) -> None:
    built_in = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    own = URI.replace("training", "xgboost")

    push(tmp_path, {built_in: xgboost.IMAGE, own: xgboost.IMAGE}, {xgboost.IMAGE: tmp_path})

    registry = PushedContainerImages(tmp_path, {})
    assert registry.resolve(own).note == ""
    assert registry.resolve(built_in).note == (
        "XGBoost 3.2-0 is AWS's algorithm, which the local cloud does not have: ours stands in for it"
    )


def test_forgets_everything_with_the_cloud(tmp_path: Path) -> None:
    push(tmp_path, {URI: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path / "environment"})
    registry = PushedContainerImages(tmp_path, {})

    registry.empty()

    with pytest.raises(ContainerImageNotFoundError):
        registry.resolve(URI)


def test_keeps_the_callers_environment_out_of_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "shh")
    push(tmp_path, {URI: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path})

    assert "SECRET" not in PushedContainerImages(tmp_path, {}).resolve(URI).environment


def test_knows_no_image_that_was_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(ContainerImageNotFoundError, match="Requested image nowhere:1 not found"):
        PushedContainerImages(tmp_path, {}).resolve("nowhere:1")


def test_runs_what_was_copied_to_another_repository_under_its_digest(tmp_path: Path) -> None:
    here, there = (f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{name}:0123456789abcdef" for name in ("a", "b"))
    training = next(iter(list_container_images()))
    push(tmp_path, {here: training}, {training: tmp_path})
    registry = PushedContainerImages(tmp_path, {}, lambda uri: uri == there)

    assert registry.resolve(there) == registry.resolve(here)
    with pytest.raises(ContainerImageNotFoundError):
        registry.resolve(there.replace("/b:", "/c:"))


def test_has_a_place_of_its_own_for_each_containers_packages(tmp_path: Path) -> None:
    assert len(set(Environments(tmp_path).paths().values())) == len(list_container_images())


def test_removes_what_a_killed_installation_left_and_nothing_else(tmp_path: Path) -> None:
    for name in (".new-abandoned", "training-kept"):
        (tmp_path / name / "lib").mkdir(parents=True)

    remove_abandoned(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["training-kept"]


def test_installs_nothing_that_another_command_has_installed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = Environments(tmp_path)
    other = tmp_path / "by-another"
    place = environments.path(big_mart.TRAINING)
    monkeypatch.setattr(fcntl, "flock", lambda *_: other.rename(place))
    (other / "bin").mkdir(parents=True)

    environments.prepare([big_mart.TRAINING])

    assert [path.name for path in place.iterdir()] == ["bin"]


def test_has_programs_of_the_platform_write_their_bytecode_and_those_of_users_not(tmp_path: Path) -> None:
    push(tmp_path, {URI: big_mart.TRAINING}, {big_mart.TRAINING: tmp_path})
    bring_python(tmp_path, "nowhere/mine:1", tmp_path / "bin/python", program=None)

    registry = PushedContainerImages(tmp_path, {})

    says = [registry.resolve(uri).environment.get("PYTHONDONTWRITEBYTECODE") for uri in (URI, "nowhere/mine:1")]
    assert says == [None, "1"]
