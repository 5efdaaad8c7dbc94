import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.sagemaker import RunnableContainerImage, stop_leftover_processes
from headrace.local.sagemaker.processes import build_command
from headrace.local.sagemaker.trees import ContainerTree
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def image(tmp_path: Path) -> RunnableContainerImage:
    return RunnableContainerImage(
        entrypoint=("/venv/bin/python", "-m", "training"), working_directory=tmp_path, environment={}
    )


@pytest.fixture
def tree(tmp_path: Path) -> ContainerTree:
    return ContainerTree.create(tmp_path / "jobs" / "training" / "job")


@pytest.fixture
def leftover(tree: ContainerTree) -> Iterator[subprocess.Popen[bytes]]:
    """A program that a crashed run has left behind."""
    program = "import signal; print(flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", program],
        env={"HEADRACE_ML_ROOT": str(tree.ml)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    with process.stdout:
        process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def write_record(root: Path, pid: int, content: str) -> Path:
    record = root / "processes" / str(pid)
    record.parent.mkdir(exist_ok=True)
    record.write_text(content, encoding="utf-8")
    return record


def test_calls_the_images_program_with_the_default_arguments(
    image: RunnableContainerImage, tree: ContainerTree
) -> None:
    command = build_command(image, tree, default_arguments=("train",))

    assert command == ("/venv/bin/python", "-m", "training", "train")


def test_replaces_the_default_arguments_by_those_of_the_request(
    image: RunnableContainerImage, tree: ContainerTree
) -> None:
    command = build_command(image, tree, arguments=["--data", "/opt/ml/input"], default_arguments=("train",))

    assert command == ("/venv/bin/python", "-m", "training", "--data", f"{tree.ml}/input")


def test_replaces_python_by_the_images_interpreter(image: RunnableContainerImage, tree: ContainerTree) -> None:
    command = build_command(image, tree, entrypoint=["python3", "/opt/ml/code/a.py"], arguments=["x"])

    assert command == ("/venv/bin/python", f"{tree.ml}/code/a.py", "x")


def test_calls_any_other_entrypoint_as_it_is(image: RunnableContainerImage, tree: ContainerTree) -> None:
    assert build_command(image, tree, entrypoint=["/bin/sh", "-c", "exit"]) == ("/bin/sh", "-c", "exit")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are recognised by /proc")
def test_kills_what_a_crashed_run_left_behind(
    tmp_path: Path, tree: ContainerTree, leftover: subprocess.Popen[bytes]
) -> None:
    record = write_record(tmp_path, leftover.pid, json.dumps({"ml_root": str(tree.ml)}))

    assert stop_leftover_processes(tmp_path) == [leftover.pid]

    assert leftover.wait(PATIENCE_SECONDS) == -9
    assert not record.exists()
    assert not tree.folder.exists()


def test_spares_a_process_that_only_has_the_same_id(
    tmp_path: Path, tree: ContainerTree, leftover: subprocess.Popen[bytes]
) -> None:
    write_record(tmp_path, leftover.pid, json.dumps({"ml_root": "/another/tree/ml"}))

    assert stop_leftover_processes(tmp_path) == []

    assert leftover.poll() is None


def test_spares_itself_when_a_record_is_unreadable(tmp_path: Path) -> None:
    record = write_record(tmp_path, os.getpid(), "half wri")

    assert stop_leftover_processes(tmp_path) == []
    assert not record.exists()


def test_does_nothing_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert stop_leftover_processes(tmp_path / "absent") == []
