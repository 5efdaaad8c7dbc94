"""PyTorch is found where `make setup-torch` puts it, and asked for by name where it is not."""

import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace import torch_packages
from headrace.cli.local import local
from headrace.local.engine.container_images import add_packages
from headrace.torch_packages import TorchMissingError, find_torch, require_torch

PACKAGES = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No PyTorch that this Python could import, and none set up."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(torch_packages, "FOLDER", tmp_path / "none")


def put_torch(folder: Path) -> Path:
    packages = folder / PACKAGES
    (packages / "torch").mkdir(parents=True)
    (packages / "torch/__init__.py").write_text("__version__ = 'stand-in'\n")
    return packages


@pytest.mark.usefixtures("alone")
def test_finds_what_was_set_up(tmp_path: Path) -> None:
    assert find_torch(tmp_path) is None
    packages = put_torch(tmp_path)

    assert find_torch(tmp_path) == packages


def test_finds_what_this_python_can_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = put_torch(tmp_path / "somewhere")
    monkeypatch.setattr(sys, "path", [str(packages)])

    assert find_torch(tmp_path / "none") == packages


@pytest.mark.usefixtures("alone")
def test_says_what_needs_it_and_how_to_get_it() -> None:
    with pytest.raises(TorchMissingError, match=r"^resnet needs PyTorch, .* run 'make setup-torch'$"):
        require_torch("resnet")


@pytest.mark.usefixtures("alone")
def test_says_so_before_a_local_cloud_starts(tmp_path: Path) -> None:
    answer = CliRunner().invoke(local, ["--folder", str(tmp_path / "cloud"), "run", "--workload", "resnet"])

    assert isinstance(answer.exception, TorchMissingError)
    assert str(answer.exception).startswith("the workload resnet needs PyTorch")
    assert not (tmp_path / "cloud").exists()


@pytest.mark.slow
def test_lets_an_environment_import_it_after_its_own_packages(tmp_path: Path) -> None:
    packages = put_torch(tmp_path / "torch")
    (packages / "own.py").write_text("place = 'torch'\n")
    venv.create(tmp_path / "environment", symlinks=True)
    (tmp_path / "environment" / PACKAGES / "own.py").write_text("place = 'environment'\n")

    add_packages(tmp_path / "environment", packages)

    script = "import torch, own; print(torch.__version__, own.place)"
    command = [str(tmp_path / "environment/bin/python"), "-c", script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "stand-in environment\n"
