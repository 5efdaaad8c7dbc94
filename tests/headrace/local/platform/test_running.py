"""Where the platform keeps its state, and how long the cloud stays that it has started."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from headrace.local.engine import cloud as local_cloud
from headrace.local.platform import running
from headrace.local.platform.deployment import Deployment
from headrace.local.platform.running import DEFAULT_FOLDER, Folders, running_platform


def read_mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_keeps_other_users_out_of_its_folders_also_where_they_were_open(tmp_path: Path) -> None:
    folders = Folders(tmp_path / DEFAULT_FOLDER)
    folders.base.mkdir(mode=0o755)
    folders.cloud.mkdir(mode=0o777)

    folders.make_private()

    kept = (folders.base, folders.cloud, folders.assemblies, folders.data)
    assert [read_mode(folder) for folder in kept] == [0o700] * 4


def test_leaves_the_mode_of_a_folder_that_the_caller_has_chosen(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)

    Folders(shared).make_private()
    Folders(tmp_path / "new").make_private()

    assert read_mode(shared) == 0o755
    assert (read_mode(shared / "cloud"), read_mode(tmp_path / "new")) == (0o700, 0o700)


class Started:
    """A cloud that notes what becomes of it."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def keep(self) -> None:
        self.ends.append("kept")

    def stop(self) -> None:
        self.ends.append("stopped")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The cloud that is started, and deployed in no time."""
    cloud = Started()
    monkeypatch.setattr(local_cloud, "start", lambda *_, **__: cloud)
    monkeypatch.setattr(running, "_deploy", lambda *_, **__: Deployment(environment="dev", outputs={}))
    return cloud


@pytest.mark.parametrize(("keep", "ends"), [(False, ["stopped"]), (True, ["kept"])])
def test_stops_the_cloud_at_the_end_unless_it_is_to_be_kept(
    tmp_path: Path, started: Started, keep: bool, ends: list[str]
) -> None:
    with running_platform(Folders(tmp_path), environment="dev", port=None, keep=keep, progress=lambda _: nullcontext()):
        assert started.ends == []

    assert started.ends == ends


def test_stops_a_cloud_that_was_to_be_kept_when_what_it_was_for_has_failed(tmp_path: Path, started: Started) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        running_platform(Folders(tmp_path), environment="dev", port=None, keep=True, progress=lambda _: nullcontext()),
    ):
        raise KeyboardInterrupt

    assert started.ends == ["stopped"]
