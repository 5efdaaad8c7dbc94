import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.local.sagemaker.launcher_command import LAUNCHER, launch_with
from headrace.local.sagemaker.read_only import Protection, ReadOnlyFolder, find_protection, protect_folders

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
READ_AND_WRITE = 'cat "$1/a.txt" && touch "$1/new.txt"'


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of this machine reaches, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        (source / "a.txt").write_text("1")
        for path in (Path(folder), source):
            path.chmod(0o777)
        yield Path(folder)


def run(folder: ReadOnlyFolder, protection: Protection, *prefix: str) -> subprocess.CompletedProcess[str]:
    command = launch_with(protect_folders([folder], protection))
    program = ("/bin/sh", "-c", READ_AND_WRITE, "sh", str(folder.target))
    return subprocess.run([*prefix, *command, *program], capture_output=True, text=True, check=False)


def can_run_as_nobody() -> bool:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return False
    # The Python and the checkout may both lie where only their owner gets.
    reading = "import sys; open(sys.argv[1]).close()"
    command = [*AS_NOBODY, sys.executable, "-I", "-S", "-c", reading, str(LAUNCHER)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(find_protection() is not Protection.MOUNT, reason="this system allows no mounts")
needs_nobody = pytest.mark.skipif(not can_run_as_nobody(), reason="programs cannot be run as another user here")


@needs_mounts
def test_shows_a_folder_read_only_at_another(open_folder: Path) -> None:
    target = open_folder / "target"

    answer = run(ReadOnlyFolder(open_folder / "source", target), Protection.MOUNT)

    assert answer.stdout == "1"
    assert "Read-only file system" in answer.stderr
    assert list(target.iterdir()) == []


@needs_mounts
def test_leaves_the_folder_writable_for_everybody_else(open_folder: Path) -> None:
    source = open_folder / "source"

    run(ReadOnlyFolder(source, source), Protection.MOUNT)

    (source / "new.txt").write_text("new")


@needs_mounts
@needs_nobody
def test_shows_a_folder_read_only_to_an_ordinary_user(open_folder: Path) -> None:
    answer = run(ReadOnlyFolder(open_folder / "source", open_folder / "target"), Protection.MOUNT, *AS_NOBODY)

    assert answer.stdout == "1"
    assert "Read-only file system" in answer.stderr


def test_gives_a_copy_without_write_permission(open_folder: Path) -> None:
    source = open_folder / "source"

    answer = run(ReadOnlyFolder(source, open_folder / "target"), Protection.PERMISSIONS)

    assert answer.stdout == "1"
    assert "Permission denied" in answer.stderr
    assert [path.name for path in source.iterdir()] == ["a.txt"]


@needs_nobody
def test_gives_an_ordinary_user_a_copy_without_write_permission(open_folder: Path) -> None:
    answer = run(ReadOnlyFolder(open_folder / "source", open_folder / "target"), Protection.PERMISSIONS, *AS_NOBODY)

    assert answer.stdout == "1"
    assert "Permission denied" in answer.stderr


def test_takes_the_write_permission_of_a_folder_that_stays_in_place(open_folder: Path) -> None:
    source = open_folder / "source"

    answer = run(ReadOnlyFolder(source, source), Protection.PERMISSIONS)

    assert "Permission denied" in answer.stderr
    assert (source / "a.txt").stat().st_mode & 0o222 == 0


def test_leaves_alone_what_links_in_a_copy_point_to(open_folder: Path) -> None:
    elsewhere = open_folder / "elsewhere.txt"
    elsewhere.write_text("mine")
    (open_folder / "source" / "link.txt").symlink_to(elsewhere)
    before = elsewhere.stat().st_mode

    run(ReadOnlyFolder(open_folder / "source", open_folder / "target"), Protection.PERMISSIONS)

    assert elsewhere.stat().st_mode == before


def test_needs_no_launcher_when_there_is_nothing_to_protect() -> None:
    assert protect_folders([], Protection.MOUNT) == ()
