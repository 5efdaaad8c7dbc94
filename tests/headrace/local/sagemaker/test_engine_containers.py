"""Images run by an engine; a script stands in for it."""

import json
import threading
from pathlib import Path

import pytest

from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.engine_containers import EngineContainer, name_container
from headrace.local.sagemaker.instances import make_instances
from headrace.local.sagemaker.processes import ContainerProcess, build_command, stop_leftover_processes
from headrace.local.sagemaker.trees import ContainerTree
from tests.patience import PATIENCE_SECONDS

# Notes its arguments; a run prints the variables that its environment file names.
ENGINE = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
[ "$1" = run ] || exit 0
while [ $# -gt 0 ]; do
    [ "$1" = --env-file ] && while read -r name; do echo "$name=$(printenv "$name")"; done < "$2"
    shift
done
"""


@pytest.fixture
def tree(tmp_path: Path) -> ContainerTree:
    return ContainerTree.create(tmp_path / "job")


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    program.write_text(ENGINE)
    program.chmod(0o755)
    return program


def image(engine: object = "podman") -> RunnableContainerImage:
    return RunnableContainerImage(
        entrypoint=(),
        working_directory=Path("/"),
        environment={},
        container=EngineContainer(str(engine), "localhost/training:1"),
    )


def run(engine: Path, tree: ContainerTree, environment: dict[str, str]) -> list[str]:
    """What a container prints."""
    lines: list[str] = []
    ended = threading.Event()
    this_image = image(engine)
    ContainerProcess(
        build_command(this_image, tree, default_arguments=("train",)),
        working_directory=Path("/"),
        environment=environment,
        tree=tree,
        records=tree.folder.parent / "processes",
        write_line=lines.append,
        on_exit=ended.set,
        container=this_image.container,
    )
    assert ended.wait(PATIENCE_SECONDS)
    return lines


def read_calls(engine: Path) -> list[str]:
    return (engine.parent / "calls").read_text().splitlines()


def test_shows_the_tree_to_the_container_as_opt_ml(tree: ContainerTree) -> None:
    command = build_command(image(), tree, default_arguments=("train",))

    assert command[:2] == ("podman", "run")
    assert f"--volume {tree.ml}:/opt/ml" in " ".join(command)
    assert command[-2:] == ("localhost/training:1", "train")


def test_leaves_paths_of_the_container_as_they_are(tree: ContainerTree) -> None:
    command = build_command(image(), tree, arguments=["--data", "/opt/ml/input"], default_arguments=("train",))

    assert command[-3:] == ("localhost/training:1", "--data", "/opt/ml/input")


def test_replaces_the_images_entrypoint_by_the_requests(tree: ContainerTree) -> None:
    command = build_command(image(), tree, entrypoint=["python3", "/opt/ml/code/a.py"], default_arguments=("train",))

    assert command[-4:] == ("--entrypoint", "python3", "localhost/training:1", "/opt/ml/code/a.py")


def test_shows_a_linked_channel_where_its_link_points(tree: ContainerTree, tmp_path: Path) -> None:
    command = build_command(image(), tree, linked=[tmp_path / "efs"])

    assert f"--volume {tmp_path / 'efs'}:{tmp_path / 'efs'}" in " ".join(command)


def test_shows_the_container_no_folder_that_a_program_linked(tree: ContainerTree, tmp_path: Path) -> None:
    (tree.make_folder("input/data") / "train").symlink_to(tmp_path)

    command = build_command(image(), tree)

    assert command.count("--volume") == 1


def test_passes_exactly_the_jobs_own_variables(
    engine: Path, tree: ContainerTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "shh")

    lines = run(engine, tree, {"TRAINING_JOB_NAME": "job-1", "TEXT": "a b=c"})

    assert lines == ["TRAINING_JOB_NAME=job-1", "TEXT=a b=c"]


def test_removes_the_container_when_its_process_has_ended(engine: Path, tree: ContainerTree) -> None:
    run(engine, tree, {})

    assert read_calls(engine)[-1].split()[:3] == ["rm", "--force", "--volumes"]
    assert read_calls(engine)[-1].split()[-1] == name_container(tree)


def test_names_containers_of_different_trees_differently(tmp_path: Path) -> None:
    assert name_container(ContainerTree(tmp_path / "a")) != name_container(ContainerTree(tmp_path / "b"))


def test_removes_a_container_that_a_crash_left_behind(engine: Path, tmp_path: Path) -> None:
    (tmp_path / "processes").mkdir()
    record = {"ml_root": str(tmp_path / "gone"), "removal": [str(engine), "rm", "--force", "left-behind"]}
    (tmp_path / "processes" / "1").write_text(json.dumps(record))

    stop_leftover_processes(tmp_path)

    assert read_calls(engine) == ["rm --force left-behind"]


def test_shows_the_addresses_of_the_instances_where_the_container_looks_names_up(tmp_path: Path) -> None:
    alone, *_ = make_instances(ContainerTree.create(tmp_path / "alone"), 1)
    first, second = make_instances(ContainerTree.create(tmp_path / "two"), 2)

    commands = [" ".join(build_command(image(), each.tree)) for each in (alone, first, second)]

    assert "/etc/hosts" not in commands[0]
    assert f"--volume {second.tree.folder}/hosts:/etc/hosts:ro" in commands[2]
    assert commands[1] != commands[2]
    assert f"{second.addresses['algo-1']}\talgo-1\n" in (second.tree.folder / "hosts").read_text()
