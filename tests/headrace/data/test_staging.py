"""Unfinished files."""

from pathlib import Path

import pytest

from headrace.data.staging import staging_in
from tests.headrace.data.buckets import read_folder


def test_publishes_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    with staging_in(tmp_path) as staging:
        staged = staging.new_file()
        staged.write_text("new")
        staging.publish(staged, tmp_path / "file", modified=1_000_001)

    assert read_folder(tmp_path) == {"file": b"new"}
    assert (tmp_path / "file").stat().st_mtime == pytest.approx(1000.001)


def test_removes_what_is_unfinished_when_it_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with staging_in(tmp_path) as staging:
            staging.new_file().write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_removes_what_a_killed_run_left(tmp_path: Path) -> None:
    left = tmp_path / ".headrace-partial" / "killed"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "0").write_text("half")

    with staging_in(tmp_path):
        assert not left.exists()


def test_keeps_what_another_run_has_under_way(tmp_path: Path) -> None:
    with staging_in(tmp_path) as first:
        staged = first.new_file()
        staged.write_text("half")
        with staging_in(tmp_path):
            pass

        assert staged.read_text() == "half"
