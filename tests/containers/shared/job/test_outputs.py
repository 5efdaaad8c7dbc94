from pathlib import Path

import pytest

from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import list_files


def write_and_fail(path: Path) -> None:
    with Outputs() as outputs:
        outputs.add(path).write_text("1")
        raise ValueError("broken")


def test_shows_files_only_once_all_are_written(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.add(tmp_path / "a/one").write_text("1")
        outputs.add(tmp_path / "two").write_text("2")
        before = list_files(tmp_path)

    assert not before & {"a/one", "two"}
    assert list_files(tmp_path) == {"a/one", "two"}


def test_leaves_nothing_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"):
        write_and_fail(tmp_path / "one")

    assert list_files(tmp_path) == set()


def test_keeps_the_former_file_when_the_block_fails(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("former")

    with pytest.raises(ValueError, match="broken"):
        write_and_fail(tmp_path / "one")

    assert (tmp_path / "one").read_text() == "former"


def test_keeps_published_files_when_told_to_discard(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.add(tmp_path / "one").write_text("1")

    outputs.discard()

    assert list_files(tmp_path) == {"one"}
