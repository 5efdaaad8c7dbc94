"""Unfinished files."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.data import staging as staging_module
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


def test_keeps_its_folder_when_another_run_begins_before_it_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = staging_module._hold

    def hold_late(descriptor: int) -> bool:
        monkeypatch.setattr(staging_module, "_hold", hold)
        with staging_in(tmp_path):
            pass
        return hold(descriptor)

    monkeypatch.setattr(staging_module, "_hold", hold_late)

    with staging_in(tmp_path) as staging:
        staged = staging.new_file()
        staged.write_text("new")
        staging.publish(staged, tmp_path / "file")

    assert read_folder(tmp_path) == {"file": b"new"}


def test_begins_while_another_run_removes_the_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = tempfile.mkdtemp

    def make_late(*, dir: Path) -> str:  # noqa: A002 (the name that tempfile gives it)
        monkeypatch.undo()
        dir.rmdir()
        return make(dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", make_late)

    with staging_in(tmp_path) as staging:
        staging.new_file().write_text("new")


def test_begins_while_another_run_removes_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_removed(_folder: Path, _pattern: str) -> Iterator[Path]:
        yield tmp_path / ".headrace-partial" / "killed" / "lock"

    monkeypatch.setattr(Path, "glob", find_removed)

    with staging_in(tmp_path) as staging:
        staging.new_file().write_text("new")
