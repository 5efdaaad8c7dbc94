import subprocess
import sys
from pathlib import Path

import pytest

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.launcher_command import LAUNCHER
from headrace.local.sagemaker.read_only import Protection
from headrace.local.sagemaker.trees import ContainerTree


@pytest.fixture
def tree(tmp_path: Path) -> ContainerTree:
    return ContainerTree.create(tmp_path / "job")


def test_is_empty_also_where_an_earlier_tree_was_left(tmp_path: Path) -> None:
    (tmp_path / "job" / "ml" / "model").mkdir(parents=True)

    tree = ContainerTree.create(tmp_path / "job")

    assert list(tree.ml.iterdir()) == []


def test_finds_container_paths_below_its_root(tree: ContainerTree) -> None:
    assert tree.locate("/opt/ml/processing/input") == tree.ml / "processing" / "input"


@pytest.mark.parametrize("path", ["/opt/program", "/opt/mlx", "opt/ml/model", "/opt/ml/../../etc", ""])
def test_refuses_paths_that_are_not_below_opt_ml(tree: ContainerTree, path: str) -> None:
    with pytest.raises(JobDataError, match="is not a path below /opt/ml"):
        tree.locate(path)


def test_translates_only_arguments_that_are_paths_below_opt_ml(tree: ContainerTree) -> None:
    translated = [tree.translate(argument) for argument in ("/opt/ml/model", "/opt/program", "--ratio", "0.1")]

    assert translated == [str(tree.ml / "model"), "/opt/program", "--ratio", "0.1"]


def test_reads_no_more_of_a_file_than_asked(tree: ContainerTree) -> None:
    (tree.make_folder("output") / "failure").write_text("0123456789", encoding="utf-8")

    assert tree.read_text("output/failure", 4) == "0123"


@pytest.mark.parametrize("name", ["output/failure", "absent/failure"])
def test_reads_nothing_where_there_is_no_file(tree: ContainerTree, name: str) -> None:
    tree.make_folder("output")

    assert tree.read_text(name, 10) == ""


def test_counts_characters_not_bytes(tree: ContainerTree) -> None:
    (tree.make_folder("output") / "failure").write_text("äöüß", encoding="utf-8")

    assert tree.read_text("output/failure", 3) == "äöü"


def test_is_gone_when_removed(tree: ContainerTree) -> None:
    tree.make_folder("model")

    tree.remove()

    assert not tree.folder.exists()


@pytest.mark.slow
def test_removes_folders_that_nobody_may_write_to(tree: ContainerTree) -> None:
    folder = tree.make_folder("input/data/train")
    (folder / "a.csv").write_text("1")
    folder.chmod(0o555)
    program = "import pathlib, sys\nfrom headrace.local.sagemaker.trees import remove_folder\n"
    remove = f"{program}remove_folder(pathlib.Path(sys.argv[1]))"
    # Permissions bind root too there.
    launcher = [sys.executable, str(LAUNCHER), Protection.PERMISSIONS, "--"]

    subprocess.run([*launcher, sys.executable, "-c", remove, str(tree.folder)], check=True)

    assert not tree.folder.exists()
