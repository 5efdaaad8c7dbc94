"""Where the platform keeps its state."""

from pathlib import Path

from headrace.local.platform.running import DEFAULT_FOLDER, Folders


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
